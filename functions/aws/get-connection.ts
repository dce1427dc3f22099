import { connect as connectTcp, type Socket, type TcpNetConnectOpts } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { parseResponseHead, type ResponseHead } from './response-head.ts';

export interface Origin {
  readonly protocol: 'http:' | 'https:';
  readonly hostname: string;
  readonly port: number;
}

const maxHeadBytes = 32_768;
/** TLS gives no more than a record at a time. */
const bufferBytes = { 'http:': 65_536, 'https:': 16_384 } as const;
/** How long the other side may keep us waiting for the next bytes. */
const patienceMs = 30_000;

interface Asked {
  resolve(bytes: Uint8Array): void;
  reject(error: unknown): void;
}

/**
 * An HTTP/1.1 connection for GETs whose bodies all arrive in one and the same buffer. Node's own client gives every 64 KiB
 * fresh memory, twice: touching those pages for the first time and collecting them costs several times what the bytes do.
 */
export class GetConnection {
  readonly #socket: Socket;
  #state: 'idle' | 'head' | 'body' = 'idle';
  #head = '';
  #isLast = false;
  /** Bytes of the body that have not arrived. */
  #left = 0;
  /** What has arrived and nobody has read; the socket is stopped meanwhile. */
  #waiting: Uint8Array | undefined;
  #asked: Asked | undefined;
  #error: Error | undefined;

  constructor({ protocol, hostname, port }: Origin) {
    const onread = {
      buffer: new Uint8Array(bufferBytes[protocol]),
      callback: (count: number, buffer: Uint8Array) => this.#arrived(buffer.subarray(0, count)),
    };
    const options: TcpNetConnectOpts = { host: hostname, port, onread };
    this.#socket = protocol === 'https:' ? connectTls({ ...options, servername: hostname }) : connectTcp(options);
    this.#socket.setTimeout(patienceMs);
    this.#socket.on('timeout', () => {
      if (this.#asked) this.#socket.destroy(new Error(`${hostname} sent nothing for ${patienceMs / 1000} s`));
      else this.#socket.setTimeout(patienceMs);
    });
    this.#socket.on('error', (error) => this.#broke(error));
    this.#socket.on('close', () => this.#broke(broken('the connection was closed before the body ended')));
  }

  /** Whether it can take the next request. */
  get isIdle(): boolean {
    return this.#state === 'idle' && !this.#socket.destroyed;
  }

  /** Whether it keeps the process from ending. */
  holdProcess(hold: boolean): void {
    if (hold) this.#socket.ref();
    else this.#socket.unref();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /**
   * Sends a GET and waits for the head of its answer. After one that `parseResponseHead` leaves to others, the
   * connection is closed.
   */
  async get(path: string, headers: Readonly<Record<string, string>>): Promise<ResponseHead | undefined> {
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    [this.#state, this.#head] = ['head', ''];
    this.#socket.write(`GET ${path} HTTP/1.1\r\n${lines.join('')}\r\n`, 'latin1');
    this.#waiting = await this.#ask();
    const head = parseResponseHead(this.#head);
    this.#left = (head?.contentLength ?? 0) - this.#waiting.length;
    this.#isLast = head?.headers.connection?.toLowerCase() === 'close';
    this.#state = 'body';
    if (head && this.#left >= 0) return head;
    this.destroy();
    return undefined;
  }

  /** The next bytes of the body, good until the next call; undefined at its end. */
  async read(): Promise<Uint8Array | undefined> {
    const bytes = this.#waiting;
    this.#waiting = undefined;
    if (bytes && bytes.length > 0) return bytes;
    if (this.#left > 0) return this.#ask();
    this.#finish();
    return undefined;
  }

  /** Leaves what is left of a body unread; that ends the connection, unless everything has arrived. */
  leave(): void {
    if (this.#left > 0) this.destroy();
    else this.#finish();
  }

  /** Goes on listening: who closes an idle connection is to be heard. */
  #finish(): void {
    [this.#state, this.#waiting] = ['idle', undefined];
    if (this.#isLast) this.destroy();
    else this.#socket.resume();
  }

  #ask(): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      if (this.#error) reject(this.#error);
      this.#asked = { resolve, reject };
      this.#socket.resume();
    });
  }

  /** @returns whether the socket goes on into the same buffer */
  #arrived(bytes: Uint8Array): boolean {
    let body: Uint8Array | undefined = bytes;
    if (this.#state === 'head') {
      body = this.#headArrived(bytes);
      if (!body) return true;
    } else {
      this.#left -= bytes.length;
      if (this.#left < 0) {
        this.#socket.destroy(broken('more bytes came than were announced'));
        return false;
      }
    }
    const asked = this.#asked;
    this.#asked = undefined;
    if (asked) asked.resolve(body);
    else this.#waiting = body;
    return false;
  }

  /** @returns what of the body came with the end of the head */
  #headArrived(bytes: Uint8Array): Uint8Array | undefined {
    const before = this.#head.length;
    this.#head += Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
    const end = this.#head.indexOf('\r\n\r\n') + 4;
    if (end >= 4) {
      this.#head = this.#head.slice(0, end);
      return bytes.subarray(end - before);
    }
    if (this.#head.length > maxHeadBytes) this.#socket.destroy(broken('the head of the answer is too long'));
    return undefined;
  }

  #broke(error: Error): void {
    this.#error ??= error;
    this.#asked?.reject(this.#error);
    this.#asked = undefined;
  }
}

/** An error that the SDK takes for one of the network, and asks again after. */
function broken(message: string): Error {
  return Object.assign(new Error(message), { code: 'ECONNRESET' });
}
