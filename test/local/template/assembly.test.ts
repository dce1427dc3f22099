import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readAssembly } from '../../../local/cloud/template/assembly.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'assembly-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const write = (file: string, value: unknown) =>
  writeFileSync(join(folder, file), typeof value === 'string' ? value : JSON.stringify(value));
const stack = { type: 'aws:cloudformation:stack', properties: { templateFile: 't.json', stackName: 'Named' } };
const assets = { type: 'cdk:asset-manifest', properties: { file: 'a.json' } };
const asset = (path: string) => ({
  files: { x: { source: { path, packaging: 'zip' }, destinations: { here: { objectKey: 'x.zip' } } } },
});

test('reads stacks, and finds an asset by its object key', () => {
  mkdirSync(join(folder, 'asset.x'));
  write('manifest.json', { artifacts: { Demo: stack, 'Demo.assets': assets, Tree: { type: 'cdk:tree' } } });
  write('a.json', asset('asset.x'));
  write('t.json', { Resources: { B: { Type: 'AWS::S3::Bucket' } } });
  const assembly = readAssembly(folder);
  expect(assembly.stacks).toEqual([
    { stackName: 'Named', template: { Resources: { B: { Type: 'AWS::S3::Bucket' } } } },
  ]);
  expect(assembly.folderOf('x.zip')).toBe(join(folder, 'asset.x'));
  expect(() => assembly.folderOf('y.zip')).toThrow('y.zip');
});

describe('refuses', () => {
  const whole = { artifacts: { Demo: stack } };
  test.for<[string, Record<string, unknown>, RegExp]>([
    ['a folder without a manifest', {}, /manifest\.json.*run the synthesis first/],
    ['a manifest cut short', { 'manifest.json': '{"artifacts":{' }, /manifest\.json.*not JSON/],
    ['a manifest without artifacts', { 'manifest.json': {} }, /manifest\.json: artifacts/],
    ['a manifest without a stack', { 'manifest.json': { artifacts: {} } }, /names no stack/],
    ['a stack whose template is not there', { 'manifest.json': whole }, /t\.json/],
    ['a template cut short', { 'manifest.json': whole, 't.json': '{"Resources"' }, /t\.json.*not JSON/],
    ['a template that is no object', { 'manifest.json': whole, 't.json': '[]' }, /t\.json/],
    [
      'a section of the template that it does not know',
      { 'manifest.json': whole, 't.json': { Resources: {}, Transform: 'AWS::Serverless' } },
      /Transform/,
    ],
    [
      'an attribute of a resource that it does not know',
      { 'manifest.json': whole, 't.json': { Resources: { B: { Type: 'AWS::S3::Bucket', CreationPolicy: {} } } } },
      /Resources\.B.*CreationPolicy/,
    ],
    [
      'a nested assembly',
      { 'manifest.json': { artifacts: { Stage: { type: 'cdk:cloud-assembly' } } } },
      /"Stage".*cdk:cloud-assembly/,
    ],
    [
      'a template outside the folder',
      { 'manifest.json': { artifacts: { Demo: { ...stack, properties: { templateFile: '../t.json' } } } } },
      /outside the assembly/,
    ],
    [
      'an asset outside the folder',
      { 'manifest.json': { artifacts: { Demo: assets } }, 'a.json': asset('../../etc') },
      /outside the assembly/,
    ],
  ])('%s', ([, files, expected]) => {
    for (const [file, value] of Object.entries(files)) write(file, value);
    expect(() => readAssembly(folder)).toThrow(expected);
  });
});
