import type { Transport } from '../../client/typescript/transport.ts';

/** Bytes that clients moved, bodies only. */
export interface Traffic {
  down: number;
  up: number;
}

/** A transport that counts into `traffic` what passes through it. */
export function countingTransport(transport: Transport, traffic: Traffic): Transport {
  return async (request) => {
    traffic.up += request.body?.length ?? 0;
    const response = await transport(request);
    traffic.down += response.body.length;
    return response;
  };
}
