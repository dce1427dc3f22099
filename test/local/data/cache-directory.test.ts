import { homedir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { cacheDirectory } from '../../../local/data/cache-directory.ts';

describe('cacheDirectory', () => {
  it('follows XDG_CACHE_HOME, then LOCALAPPDATA on Windows, then the home folder', () => {
    expect(cacheDirectory({ XDG_CACHE_HOME: 'x', LOCALAPPDATA: 'l' }, 'win32')).toBe(join('x', 'tributary'));
    expect(cacheDirectory({ LOCALAPPDATA: 'l' }, 'win32')).toBe(join('l', 'tributary'));
    expect(cacheDirectory({ LOCALAPPDATA: 'l' }, 'linux')).toBe(join(homedir(), '.cache', 'tributary'));
  });
});
