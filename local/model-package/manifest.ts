import { z } from 'zod';
import { sha256Pattern } from '../../shared/core/names.ts';
import { trainingSpecSchema } from './training-schema.ts';

/** The files of a training package beside its manifest. */
export const packageFiles = [
  'forward.onnx',
  'evaluate.onnx',
  'train-step.onnx',
  'train-epoch.onnx',
  'initial.safetensors',
] as const;
export type PackageFile = (typeof packageFiles)[number];

export const manifestName = 'manifest.json';
export const packageFormat = 'tributary-training-package';
export const packageVersion = 1;

const size = z.number().int().min(0);
const valueSchema = z.strictObject({
  name: z.string(),
  type: z.string(),
  shape: z.array(z.union([size, z.string()])),
});

/** What `manifest.json` says of a training package. Strict: a later format has another `formatVersion`. */
export const manifestSchema = z.strictObject({
  format: z.literal(packageFormat),
  formatVersion: z.literal(packageVersion),
  tool: z.strictObject({ name: z.string(), version: z.string() }),
  opset: z.number().int().min(1),
  /** Sizes of one example, without the batch axis. */
  exampleShape: z.array(size),
  /** Scores of one example. */
  outputs: z.number().int().min(1),
  parameters: size,
  /** In the order of the flat parameter vector; offsets and sizes count float32 elements. */
  layout: z.array(z.strictObject({ name: z.string().min(1), shape: z.array(size), offset: size, size })),
  training: trainingSpecSchema,
  graphs: z.record(z.string(), z.strictObject({ inputs: z.array(valueSchema), outputs: z.array(valueSchema) })),
  /** Operators of the forward graph: how many nodes, and whether a gradient passes them. */
  operators: z.record(z.string(), z.strictObject({ nodes: size, gradient: z.boolean() })),
  files: z.record(z.enum(packageFiles), z.strictObject({ bytes: size, sha256: z.string().regex(sha256Pattern) })),
});
export type PackageManifest = z.output<typeof manifestSchema>;
