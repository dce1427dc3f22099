import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FlError } from '../../../../shared/core/errors.ts';
import { decodeImage, type LabelledImage } from './image-samples.ts';

const pictureFile = /\.(png|pgm|ppm|pnm)$/i;

/**
 * Pictures in a folder of folders, one for each class: `cats/1.png`. For Node; the only part of the image loaders that touches files.
 * @throws {FlError} data-missing, data-malformed
 */
export async function readImageFolder(path: string): Promise<LabelledImage[]> {
  const entries = await readdir(path, { withFileTypes: true }).catch((cause: unknown) => {
    throw new FlError('data-missing', `cannot read ${path}`, { cause });
  });
  const labels = entries
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
    .map(({ name }) => name)
    .sort();
  const pictures: LabelledImage[] = [];
  for (const label of labels) {
    const files = (await readdir(join(path, label))).filter((file) => pictureFile.test(file)).sort();
    for (const file of files) {
      const name = `${label}/${file}`;
      pictures.push({ name, label, image: await decodeImage(await readFile(join(path, label, file)), name) });
    }
  }
  if (pictures.length === 0) throw new FlError('data-missing', `${path} holds no CLASS/NAME.png, .pgm or .ppm`);
  return pictures;
}
