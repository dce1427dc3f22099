import { FlError } from '../../../../shared/core/errors.ts';
import { fromPixels, type Image } from './image.ts';

/**
 * Any picture that the browser reads (JPEG, PNG, WebP, ...), brought to a size. Only in browsers, their workers included.
 * @throws {FlError} data-malformed; runtime-missing outside of browsers
 */
export async function decodeInBrowser(
  file: Blob,
  { height, width }: { readonly height: number; readonly width: number },
): Promise<Image> {
  if (typeof createImageBitmap === 'undefined' || typeof OffscreenCanvas === 'undefined') {
    throw new FlError('runtime-missing', 'no createImageBitmap here: decode PNG, PGM or PPM, or run in a browser');
  }
  let bitmap: ImageBitmap;
  try {
    const size = { resizeHeight: height, resizeWidth: width, resizeQuality: 'high' } as const;
    bitmap = await createImageBitmap(file, size);
  } catch (cause) {
    throw new FlError('data-malformed', `no picture that this browser reads: ${cause}`, { cause });
  }
  const context = new OffscreenCanvas(width, height).getContext('2d');
  if (!context) throw new FlError('runtime-missing', 'no 2d canvas here');
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  return fromPixels(context.getImageData(0, 0, width, height).data, { height, width, stride: 4, largest: 255 });
}
