// In: the answer to an HTTP request; out: its body, if it is not too long.
import type { IncomingMessage } from 'node:http';

/** Reads a body to its end. Throws when it is longer than `maxBytes`, or breaks off. */
export const readBody = async (response: IncomingMessage, maxBytes: number): Promise<string> => {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw new Error(`Expected at most ${maxBytes} bytes, got more`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
};
