import { readFileSync } from 'node:fs';

/** True if a process of that id runs. A zombie, dead and not yet collected by its parent, does not. */
export function isAlive(pid: number): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: it lives, and is another user's.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
  return !isZombie(pid);
}

/** Only Linux tells; elsewhere a zombie counts as alive. */
function isZombie(pid: number): boolean {
  try {
    // "pid (name) state …", and the name may hold anything.
    return /\) [ZX] [^)]*$/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}
