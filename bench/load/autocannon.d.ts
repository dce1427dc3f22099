/** As much of autocannon 9 as the load generator uses: https://github.com/mcollina/autocannon */
declare module 'autocannon' {
  interface Request {
    readonly method: 'POST';
    readonly path: string;
    readonly body: string;
    readonly headers: Readonly<Record<string, string>>;
  }
  interface Options {
    readonly url: string;
    readonly connections: number;
    /** Requests in all. */
    readonly amount: number;
    /** Seconds until a request counts as lost. */
    readonly timeout: number;
    readonly requests: readonly {
      setupRequest(): Request;
      onResponse(status: number, body: string, context: object, headers?: Readonly<Record<string, unknown>>): void;
    }[];
  }
  interface Result {
    readonly start: Date;
    readonly finish: Date;
    /** Milliseconds. */
    readonly latency: { readonly p50: number; readonly p99: number; readonly max: number };
  }
  export default function autocannon(options: Options): Promise<Result>;
}
