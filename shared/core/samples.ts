/** Labelled examples held by one client or one evaluator. The holder owns the buffers; nothing here copies or writes them. */
export interface Samples {
  /** Features, one example after the other: `n * product(shape)` float32 values. */
  readonly x: Float32Array;
  /** One class per example, integers in [0, classes), shape `[n]`. */
  readonly y: Int32Array;
  /** Number of examples. */
  readonly n: number;
  /** Shape of one example, without the batch axis: `[784]`, or `[1, 28, 28]` for channels, height, width. */
  readonly shape: readonly number[];
}
