import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { packageFiles } from '../../../local/model-package/manifest.ts';
import { readTrainingPackage } from '../../../local/model-package/read-package.ts';
import { writeArchive } from '../../../local/model-package/write-package.ts';
import { readZip, zipOf } from '../../../local/model-package/zip.ts';
import { mlp } from '../../../shared/onnx/models/mlp.ts';
import { buildTrainingPackage } from '../../../shared/onnx/training/training-package.ts';
import vectors from '../../vectors/model-package/zip.json' with { type: 'json' };
import { hurtBytes, hurtJson } from '../mutate.ts';
import { must, type Target } from '../target.ts';

const encode = (text: string) => new TextEncoder().encode(text);
const archives = [
  ...[vectors.stored, vectors.deflated, vectors.withComment].map((text) => new Uint8Array(Buffer.from(text, 'base64'))),
  zipOf(
    new Map([
      ['a', encode('x'.repeat(1000))],
      ['b', encode('')],
      ['../up', encode('y')],
    ]),
  ),
];

export const zip: Target = {
  name: 'zip',
  valid: archives,
  inputs: hurtBytes(archives),
  read(bytes) {
    const names = [...readZip(bytes)].map(([name, entry]) => {
      const content = entry.content();
      must(content.length === entry.bytes, `"${name}" has another length than the directory says`);
      // Deflate makes at most 1,032 bytes of one.
      must(content.length <= 1_032 * bytes.length, 'more than there can be in it');
      must(content.buffer !== bytes.buffer, 'content that is a view of the archive');
      return name;
    });
    must(new Set(names).size === names.length, 'a name twice');
  },
};

const folder = mkdtempSync(join(tmpdir(), 'fuzz-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
const path = join(folder, 'package.zip');
await writeArchive(
  path,
  buildTrainingPackage({
    forward: mlp({ features: 3, hidden: [2], classes: 2 }),
    loss: { kind: 'softmax-cross-entropy', classWeights: [1, 2] },
    optimizer: { kind: 'adamw', weightDecay: 0.1 },
  }),
);
const whole = new Uint8Array(await import('node:fs').then(({ readFileSync }) => readFileSync(path)));
const contents = [...readZip(whole)].map(([name, entry]) => [name, entry.content()] as const);
const manifestText = new TextDecoder().decode(contents.find(([name]) => name === 'manifest.json')?.[1]);

/** A whole archive: hurt anywhere, or with a manifest that says something else. */
export const trainingPackage: Target = {
  name: 'training-package',
  valid: [whole],
  inputs: fc.oneof(hurtBytes([whole]), hurtJson([manifestText]).map(withManifest)),
  async read(bytes) {
    writeFileSync(path, bytes);
    const { layout, initial } = await readTrainingPackage(path);
    must(layout.size === initial.length, 'parameters of another number');
    must(
      contents.filter(([name]) => packageFiles.some((file) => file === name)).length === packageFiles.length,
      'no file',
    );
  },
};

function withManifest(text: string): Uint8Array {
  return zipOf(new Map(contents.map(([name, content]) => [name, name === 'manifest.json' ? encode(text) : content])));
}
