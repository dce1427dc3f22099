/** A decoded picture: channels first, values in [0, 1]. 1 channel is grey, 3 are red, green and blue. */
export interface Image {
  readonly channels: 1 | 3;
  readonly height: number;
  readonly width: number;
  /** `channels * height * width` values. */
  readonly values: Float32Array;
}

/** The image in the number of channels that a model wants: grey is repeated, colour becomes luma (ITU-R BT.601, as PIL's `convert('L')`). */
export function withChannels(image: Image, channels: 1 | 3): Image {
  if (image.channels === channels) return image;
  const { height, width, values } = image;
  const pixels = height * width;
  const made = new Float32Array(channels * pixels);
  if (channels === 3) for (let c = 0; c < 3; c++) made.set(values, c * pixels);
  else {
    for (let i = 0; i < pixels; i++) {
      made[i] = 0.299 * values[i] + 0.587 * values[pixels + i] + 0.114 * values[2 * pixels + i];
    }
  }
  return { channels, height, width, values: made };
}

/** Pixels one after the other, `stride` numbers each, of which the first one or three are the image; divided by `largest`. */
export function fromPixels(
  pixels: ArrayLike<number>,
  { height, width, stride, largest }: { height: number; width: number; stride: number; largest: number },
): Image {
  const channels = stride >= 3 ? 3 : 1;
  const values = new Float32Array(channels * height * width);
  for (let i = 0; i < height * width; i++) {
    for (let c = 0; c < channels; c++) values[c * height * width + i] = pixels[i * stride + c] / largest;
  }
  return { channels, height, width, values };
}
