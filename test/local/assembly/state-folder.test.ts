import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openStateFolder } from '../../../local/cloud/assembly/state-folder.ts';

let dir = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'state-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

test('keeps secrets and ports', () => {
  const first = openStateFolder(dir);
  const secret = first.secretFor('role/A');
  first.rememberPorts({ s3: 1234 });
  first.unlock();
  const second = openStateFolder(dir);
  expect(second.secretFor('role/A')).toBe(secret);
  expect(second.secretFor('role/B')).not.toBe(secret);
  expect(second.ports).toEqual({ s3: 1234 });
});

test('gives another folder other secrets, and lets only the owner read them', () => {
  const other = mkdtempSync(join(tmpdir(), 'state-'));
  expect(openStateFolder(other).secretFor('a')).not.toBe(openStateFolder(dir).secretFor('a'));
  expect(statSync(join(dir, 'cloud.json')).mode & 0o077).toBe(0);
  rmSync(other, { recursive: true });
});

test('is locked while its holder lives', () => {
  openStateFolder(dir);
  expect(() => openStateFolder(dir)).toThrow(expect.objectContaining({ code: 'state-locked', retry: 'later' }));
});

test.for(['4194999', '', 'nonsense', '-1'])('is taken over from a lock that says %j', (holder) => {
  // No Linux process has an id over 4194304, and the rest names nobody.
  writeFileSync(join(dir, 'cloud.lock'), holder);
  openStateFolder(dir);
  expect(readFileSync(join(dir, 'cloud.lock'), 'utf8')).toBe(String(process.pid));
});

test.for(['', '{"secret":"short","ports":{}}', '{"secret":'])('says so when cloud.json is damaged: %j', (text) => {
  writeFileSync(join(dir, 'cloud.json'), text);
  expect(() => openStateFolder(dir)).toThrow(expect.objectContaining({ code: 'state-invalid' }));
  // and does not stay locked
  writeFileSync(join(dir, 'cloud.json'), '');
  expect(() => openStateFolder(dir)).toThrow(expect.objectContaining({ code: 'state-invalid' }));
});
