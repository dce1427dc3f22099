import { createHash } from 'node:crypto';
import { calculateJwkThumbprint, importJWK, type JWK, type JWTPayload, jwtVerify } from 'jose';
import type { Transport, TransportRequest, TransportResponse } from '../../client/typescript/transport.ts';
import { json, problem } from './fake-server.ts';

const bare: TransportResponse = { status: 403, headers: {}, body: new TextEncoder().encode('{"message":"Forbidden"}') };
const lost = new TypeError('fetch failed');

interface Seen extends JWTPayload {
  readonly path: string;
  readonly kid: string;
}

/** One client's federation that verifies proofs with jose: its key, its clock, its codes, and answers that get lost. */
export class FakeFederation {
  readonly codes = new Map<string, { client: string; usedBy?: string }>();
  /** Requests that got through, and those that did not. */
  readonly taken: Seen[] = [];
  refused = 0;
  registered: JWK | undefined;
  nowMs = Date.now();
  /** The next answers that the client does not get. */
  lose = 0;
  readonly #nonces = new Set<string>();

  readonly transport: Transport = async (request) => {
    const answer = await this.#answer(request);
    if (answer.status === 403) this.refused++;
    if (this.lose > 0) {
      this.lose--;
      throw lost;
    }
    return { ...answer, headers: { ...answer.headers, date: new Date(this.nowMs).toUTCString() } };
  };

  async #answer(request: TransportRequest): Promise<TransportResponse> {
    const { pathname: path } = new URL(request.url);
    const content = request.body ? JSON.parse(new TextDecoder().decode(request.body)) : undefined;
    const enrolling = path === '/v1/enrolments';
    const jwk: JWK | undefined = enrolling ? content.publicKey : this.registered;
    const proved = jwk && (await this.#verify(request.headers?.authorization, jwk, request));
    if (!proved) return bare;
    this.taken.push({ ...proved, path, kid: await calculateJwkThumbprint(jwk) });
    if (enrolling) return this.#enrol(content);
    if (path === '/v1/keys') return this.#rotate(content, request);
    return json(404, { code: 'ticket-unknown', detail: 'no such ticket' });
  }

  async #enrol({
    code,
    client,
    publicKey,
  }: {
    code: string;
    client: string;
    publicKey: JWK;
  }): Promise<TransportResponse> {
    const invitation = this.codes.get(code);
    const kid = await calculateJwkThumbprint(publicKey);
    if (invitation?.client !== client) return problem(404, 'invitation-unknown');
    if (invitation.usedBy !== undefined && invitation.usedBy !== kid) return problem(409, 'invitation-used');
    invitation.usedBy = kid;
    this.registered = publicKey;
    return json(200, { client, kid });
  }

  async #rotate({ publicKey, proof }: { publicKey: JWK; proof: string }, request: TransportRequest) {
    if (!(await this.#verify(proof, publicKey, { ...request, body: new Uint8Array() })))
      return problem(403, 'proof-forged');
    this.registered = publicKey;
    return json(200, { client: 'ann', kid: await calculateJwkThumbprint(publicKey) });
  }

  async #verify(authorization = '', jwk: JWK, { method, url, body = new Uint8Array() }: TransportRequest) {
    const [scheme, jws] = authorization.split(' ');
    const key = await importJWK(jwk, 'Ed25519');
    const verified = await jwtVerify(jws ?? '', key, { algorithms: ['Ed25519'], typ: 'tributary-proof+jwt' }).catch(
      () => undefined,
    );
    if (scheme !== 'Tributary' || !verified) return undefined;
    const { htm, htu, digest, iat = 0, jti = '' } = verified.payload;
    const fresh = Math.abs(iat * 1000 - this.nowMs) <= 60_000 && !this.#nonces.has(jti);
    this.#nonces.add(jti);
    const same = htm === method && htu === url && digest === createHash('sha256').update(body).digest('base64url');
    return fresh && same ? verified.payload : undefined;
  }
}
