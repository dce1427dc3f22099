import type { Target } from '../target.ts';
import { answers } from './answers.ts';
import { apiBodies } from './api.ts';
import { awsChunked, dynamoDb, httpApi, s3Target, sigV4, sqs, stepFunctions, xml } from './cloud.ts';
import { csv, csvFolder, gzip, idx } from './data.ts';
import { keyFile, proof, seal, statement } from './identity.ts';
import { images } from './images.ts';
import { arrivals, stepInputs } from './messages.ts';
import { onnxImport, onnxModel } from './onnx.ts';
import { trainingPackage, zip } from './packages.ts';
import { heldOut, safetensors } from './safetensors.ts';
import { storedDocuments } from './stored.ts';
import { encoding, parquet, summary } from './tables.ts';
import { codecText, encodedUpdate, plainUpdate } from './updates.ts';

/** Every parser that meets what somebody else wrote. */
export const targets: readonly Target[] = [
  ...[safetensors, heldOut, plainUpdate, encodedUpdate, codecText, onnxModel, onnxImport],
  ...[...apiBodies, arrivals, ...stepInputs, ...storedDocuments, ...answers],
  ...[proof, statement, seal, keyFile],
  ...[zip, trainingPackage, csv, csvFolder, idx, gzip],
  ...[encoding, summary, parquet, ...images],
  ...[xml, awsChunked, sigV4, s3Target, ...dynamoDb, ...sqs, stepFunctions, httpApi],
];
