import { WeightedMean } from '../core/aggregator/weighted-mean.ts';
import { FlError } from '../core/errors.ts';
import { firstNonFinite } from '../core/finite.ts';
import type { Tile } from '../core/round.ts';
import { serverSgd } from '../core/server-optimizer/sgd.ts';
import type { ObjectReader, UploadedPart } from '../ports/object-stores.ts';
import { headerBytes } from '../wire/safetensors.ts';
import type { Aggregated, Manifest } from '../wire/workflow.ts';
import { requireManifest } from './manifest.ts';
import type { Ports } from './ports.ts';
import { elementRange, float32Chunks } from './read-object.ts';

/**
 * One tile of the next model: the weighted mean of the updates' ranges, the server optimizer on the base's range, one
 * part of the multipart upload. Memory is a function of the tile. A pure function of the manifest: run again, it
 * uploads the same bytes.
 */
export async function aggregateTile(
  { models, updates }: Pick<Ports, 'models' | 'updates'>,
  manifestKey: string,
  tileIndex: number,
): Promise<Aggregated> {
  const manifest = await requireManifest(models, manifestKey);
  const tile = manifest.tiles[tileIndex];
  if (!tile) throw new FlError('tile-unknown', `tile ${tileIndex} of ${manifest.tiles.length}`);

  const mean = new WeightedMean(tile.end - tile.start);
  for (const update of manifest.updates) {
    mean.begin(update.weight);
    const range = elementRange(update.dataOffset, tile.start, tile.end);
    if (range.end > range.start) {
      for await (const chunk of float32Chunks(await updates.stream(update.key, range, update.etag))) mean.add(chunk);
    }
  }
  const { key, dataOffset, stateKey } = manifest.base;
  const base = await readTile(models, key, dataOffset, tile);
  // Model and state of a version are written with the same header, so their data starts at the same place.
  const velocity = stateKey === undefined ? undefined : await readTile(models, stateKey, dataOffset, tile);
  const next = serverSgd(base, mean.finish(), velocity, manifest.serverOptimizer);
  const bad = firstNonFinite(next.params);
  if (bad >= 0) {
    const value = `parameter ${tile.start + bad} would become ${next.params[bad]}`;
    throw new FlError('model-not-finite', `${value}: lower serverOptimizer.learningRate or the clients' learning rate`);
  }

  const upload = ({ key, uploadId }: Manifest['model'], values: Float32Array): Promise<UploadedPart> =>
    models.putPart(key, uploadId, tile.index + 1, partBytes(manifest, tile, values));
  return {
    model: await upload(manifest.model, next.params),
    state: manifest.state && next.velocity ? await upload(manifest.state, next.velocity) : null,
  };
}

async function readTile(store: ObjectReader, key: string, dataOffset: number, tile: Tile): Promise<Float32Array> {
  const values = new Float32Array(tile.end - tile.start);
  if (values.length === 0) return values;
  let position = 0;
  for await (const chunk of float32Chunks(await store.stream(key, elementRange(dataOffset, tile.start, tile.end)))) {
    if (position + chunk.length > values.length) throw new FlError('object-too-large', `${key} sent more than asked`);
    values.set(chunk, position);
    position += chunk.length;
  }
  if (position !== values.length)
    throw new FlError('object-truncated', `${key}: ${position} of ${values.length} values`);
  return values;
}

/** The first tile's part begins with the file's header. */
function partBytes({ header }: Manifest, tile: Tile, values: Float32Array): Uint8Array {
  const data = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  if (tile.index > 0) return data;
  const start = headerBytes(header);
  const bytes = new Uint8Array(start.length + data.length);
  bytes.set(start);
  bytes.set(data, start.length);
  return bytes;
}
