import { expect, test } from 'vitest';
import { frozenNormalisations } from '../../../shared/onnx/training/frozen-normalisations.ts';
import exporters from '../../vectors/onnx/exporters.json' with { type: 'json' };

const model = (name: string) =>
  Uint8Array.from(Buffer.from(exporters.models.find((each) => each.name === name)?.onnx ?? '', 'base64'));

test('finds the normalisations that an exporter left in inference mode', () => {
  expect(frozenNormalisations(model('CNN with BatchNorm by the dynamo exporter'))).toBeGreaterThan(0);
  expect(frozenNormalisations(model('CNN with BatchNorm by the TorchScript exporter'))).toBe(0);
  expect(frozenNormalisations(model('MLP by the dynamo exporter'))).toBe(0);
});
