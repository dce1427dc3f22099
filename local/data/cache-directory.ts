import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where downloads are kept: `$XDG_CACHE_HOME/tributary`, `%LOCALAPPDATA%\tributary` on Windows, or `~/.cache/tributary`. */
export function cacheDirectory(env: NodeJS.ProcessEnv = process.env, platform: string = process.platform): string {
  if (env.XDG_CACHE_HOME) return join(env.XDG_CACHE_HOME, 'tributary');
  if (platform === 'win32' && env.LOCALAPPDATA) return join(env.LOCALAPPDATA, 'tributary');
  return join(homedir(), '.cache', 'tributary');
}
