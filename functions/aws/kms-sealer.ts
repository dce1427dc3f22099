import { createPublicKey } from 'node:crypto';
import { GetPublicKeyCommand, type KMSClient, SignCommand } from '@aws-sdk/client-kms';
import { FlError } from '../../shared/core/errors.ts';
import type { Sealer } from '../../shared/ports/sealer.ts';
import { type SealKey, sealKeySchema } from '../../shared/wire/seal.ts';

/** Signs with an ECC_NIST_P256 key in KMS. */
export class KmsSealer implements Sealer {
  readonly #client: KMSClient;
  readonly #keyId: string;

  /** @param keyId id or ARN of the key */
  constructor(client: KMSClient, keyId: string) {
    this.#client = client;
    this.#keyId = keyId;
  }

  async sign(message: Uint8Array): Promise<Uint8Array> {
    const { Signature } = await this.#client.send(
      new SignCommand({
        KeyId: this.#keyId,
        Message: message,
        MessageType: 'RAW',
        SigningAlgorithm: 'ECDSA_SHA_256',
      }),
    );
    return rawSignature(Signature ?? new Uint8Array());
  }

  async publicKey(): Promise<SealKey> {
    const { PublicKey } = await this.#client.send(new GetPublicKeyCommand({ KeyId: this.#keyId }));
    const der = createPublicKey({ key: Buffer.from(PublicKey ?? []), format: 'der', type: 'spki' });
    return sealKeySchema.parse(der.export({ format: 'jwk' }));
  }
}

/**
 * KMS answers in DER, JWS wants r and s, 32 bytes each (RFC 7518, 3.4).
 * @throws {FlError} `signature-malformed`
 */
export function rawSignature(der: Uint8Array): Uint8Array {
  const malformed = () => new FlError('signature-malformed', `${der.length} bytes that are not a P-256 signature`);
  let at = 2;
  if (der[0] !== 0x30 || der[1] !== der.length - 2) throw malformed();
  const raw = new Uint8Array(64);
  for (const half of [0, 1]) {
    const length = der[at + 1];
    const integer = der.subarray(at + 2, at + 2 + length);
    // A leading zero keeps a large number positive.
    const digits = integer[0] === 0 ? integer.subarray(1) : integer;
    if (der[at] !== 0x02 || integer.length !== length || digits.length === 0 || digits.length > 32) throw malformed();
    raw.set(digits, 32 * (half + 1) - digits.length);
    at += 2 + length;
  }
  if (at !== der.length) throw malformed();
  return raw;
}
