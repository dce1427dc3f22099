/** A stream of pseudo-random numbers that a seed fixes. Not for secrets. */
export interface Random {
  /** Uniform in [0, 1), 32 bits of resolution. */
  next(): number;
  /** Uniform integer in [0, bound). */
  below(bound: number): number;
  /** Normal with the given mean and standard deviation (Box-Muller). */
  normal(mean?: number, deviation?: number): number;
  /** An independent stream for a named purpose: the same seed and name give the same stream. */
  fork(name: string): Random;
}

/** A `Random` from a seed: sfc32 (PractRand's small fast counter), seeded through a string hash so that forks differ. */
export function randomFrom(seed: number | string): Random {
  return new Sfc32(String(seed));
}

/** A random permutation of 0..length-1 (Fisher-Yates). */
export function permutation(length: number, random: Random): Uint32Array {
  const order = new Uint32Array(length);
  for (let i = 0; i < length; i++) order[i] = i;
  for (let i = length - 1; i > 0; i--) {
    const j = random.below(i + 1);
    const swapped = order[i];
    order[i] = order[j];
    order[j] = swapped;
  }
  return order;
}

class Sfc32 implements Random {
  readonly #seed: string;
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;
  #spare: number | undefined;

  constructor(seed: string) {
    this.#seed = seed;
    [this.#a, this.#b, this.#c] = hashToWords(seed);
    for (let i = 0; i < 15; i++) this.next();
  }

  next(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum;
    this.#c |= 0;
    return (sum >>> 0) / 0x1_0000_0000;
  }

  below(bound: number): number {
    return Math.floor(this.next() * bound);
  }

  normal(mean = 0, deviation = 1): number {
    let standard = this.#spare;
    if (standard === undefined) {
      const radius = Math.sqrt(-2 * Math.log(1 - this.next()));
      const angle = 2 * Math.PI * this.next();
      standard = radius * Math.cos(angle);
      this.#spare = radius * Math.sin(angle);
    } else {
      this.#spare = undefined;
    }
    return mean + deviation * standard;
  }

  fork(name: string): Random {
    return new Sfc32(`${this.#seed}/${name}`);
  }
}

/** Three 32-bit words from a string: MurmurHash3's mixing, one start value for each word. */
function hashToWords(text: string): [number, number, number] {
  const words: number[] = [];
  for (const start of [0x9e3779b9, 0x85ebca6b, 0xc2b2ae35]) {
    let h = start ^ text.length;
    for (let i = 0; i < text.length; i++) {
      h = Math.imul(h ^ text.charCodeAt(i), 0xcc9e2d51);
      h = (h << 13) | (h >>> 19);
    }
    h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
    h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
    words.push(h ^ (h >>> 16));
  }
  return [words[0], words[1], words[2]];
}
