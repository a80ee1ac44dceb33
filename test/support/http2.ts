// In: sessions and clients of HTTP/2 and gRPC. Out: what they ask for; and frames, byte by byte.
import type * as grpc from '@grpc/grpc-js';
import { once } from 'node:events';
import type { ClientHttp2Session, ClientHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** Of the server grpc.js: 22 calls that succeed, two of them streams, and three that fail. */
export const makeCalls = async (client: grpc.Client): Promise<void> => {
  for (let round = 0; round < 20; round++) await unary(client, 'Echo');
  for (let round = 0; round < 3; round++) await unary(client, 'Fail').catch(() => undefined);
  const ticks = client.makeServerStreamRequest('/test.Echo/Tick', bytes, bytes, Buffer.from('tick'));
  ticks.resume();
  await once(ticks, 'end');
  const chat = client.makeBidiStreamRequest('/test.Echo/Chat', bytes, bytes);
  for (let round = 0; round < 3; round++) {
    chat.write(Buffer.from('hello'));
    await once(chat, 'data');
  }
  chat.end();
  await once(chat.resume(), 'end');
};

const bytes = (message: Buffer): Buffer => message;

const unary = (client: grpc.Client, method: string): Promise<unknown> =>
  new Promise((resolve, reject) => {
    client.makeUnaryRequest(
      `/test.Echo/${method}`,
      bytes,
      bytes,
      Buffer.from('message'),
      (error, response) => {
        if (error) reject(error);
        else resolve(response);
      },
    );
  });

export const request = (
  session: ClientHttp2Session,
  path: string,
  more: Record<string, string> = {},
): Promise<void> => finished(session.request({ ':path': path, ...more }).end());

export const finished = async (stream: ClientHttp2Stream): Promise<void> => {
  stream.resume();
  await once(stream, 'close');
};

export const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

export const frame = (type: number, flags: number, stream: number, payload = Buffer.alloc(0)): Buffer => {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
};

/** GET of a path at x in full, whole and last; with that many bytes of padding. */
export const headersFrame = (stream: number, { padding = 0, path = '/' } = {}): Buffer => {
  const block = Buffer.from(`\x82\x86\x04${String.fromCharCode(path.length)}${path}\x01\x01x`, 'latin1');
  if (padding === 0) return frame(1, 5, stream, block);
  return frame(1, 5 | 8, stream, Buffer.concat([Buffer.of(padding), block, Buffer.alloc(padding)]));
};

/** HEADERS of four requests among other frames, one of them padded. */
const fourRequests = Buffer.concat([
  frame(4, 0, 0),
  headersFrame(1),
  headersFrame(3),
  headersFrame(5, { padding: 8 }),
  frame(6, 0, 0, Buffer.alloc(8)),
  headersFrame(7),
]);

/** An upload of many frames, a request beside each of its pieces: one request more than rounds. */
export const uploadBesideRequests = async (session: ClientHttp2Session, rounds: number): Promise<void> => {
  const upload = session.request({ ':path': '/upload', ':method': 'POST' });
  const uploaded = finished(upload);
  for (let round = 0; round < rounds; round++) {
    upload.write('x'.repeat(50_000));
    await request(session, '/');
  }
  upload.end();
  await uploaded;
};

/** Four requests, each byte written by itself, so that frames are torn between segments or records. */
export const writeTorn = async (socket: Socket): Promise<void> => {
  socket.resume().write(preface);
  await sleep(20);
  for (const byte of fourRequests) {
    socket.write(Buffer.of(byte));
    await sleep(2);
  }
  await sleep(100);
  socket.destroy();
};
