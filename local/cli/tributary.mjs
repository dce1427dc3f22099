#!/usr/bin/env node
// The command itself: plain JavaScript for any Node >= 18, which finds a Node >= 24 (it strips types) and hands over.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const needed = 24;
const here = dirname(fileURLToPath(import.meta.url));

function majorOf(version) {
  return Number.parseInt(String(version).replace(/^v/, ''), 10);
}

function majorOfFile(path) {
  if (!existsSync(path)) return 0;
  const { stdout } = spawnSync(path, ['--version'], { encoding: 'utf8' });
  return stdout ? majorOf(stdout) : 0;
}

/** This process's own Node, else the one that npm installed as an optional dependency for this platform. */
function findNode() {
  if (majorOf(process.versions.node) >= needed) return process.execPath;
  const name = process.platform === 'win32' ? 'node.exe' : 'node';
  const platform = process.platform === 'win32' ? 'win' : process.platform;
  for (let folder = join(here, '..', '..'); ; folder = dirname(folder)) {
    const modules = join(folder, 'node_modules');
    const packages = [`node-${platform}-${process.arch}`, `node-bin-${platform}-${process.arch}`];
    for (const path of [...packages.map((it) => join(modules, it, 'bin', name)), join(modules, '.bin', name)]) {
      if (majorOfFile(path) >= needed) return path;
    }
    if (dirname(folder) === folder) return undefined;
  }
}

const node = findNode();
if (node === undefined) {
  console.error(
    `tributary: needs Node ${needed} or newer, this is ${process.version} and none was found in node_modules.\n` +
      'Run "npm ci" with optional dependencies (without --omit=optional), or install a newer Node: https://nodejs.org',
  );
  process.exit(1);
}

const child = spawn(node, ['--disable-warning=ExperimentalWarning', join(here, 'main.ts'), ...process.argv.slice(2)], {
  stdio: 'inherit',
});
// A terminal sends Ctrl-C to the whole group, so the child has it already; a signal sent to this process alone it has not.
for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
process.on('SIGINT', () => {
  if (!process.stdin.isTTY) child.kill('SIGINT');
});
child.on('error', (error) => {
  console.error(`tributary: ${node} does not start: ${error.message}`);
  process.exit(1);
});
child.on('exit', (code, signal) => {
  process.exit(code ?? 128 + (constants.signals[signal] ?? 0));
});
