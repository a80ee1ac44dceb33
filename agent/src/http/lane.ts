// In: answers that are asked for. Out: so many of them at a time, each for so long, whatever the clients do.
import type { ServerResponse } from 'node:http';

/** Gives the answer, or says that too many are being given. */
export type Lane = (response: ServerResponse, answer: () => void | Promise<void>) => void | Promise<void>;

/** Prometheus gives up after 10 s unless it is told otherwise. */
const answerMs = 60_000;
const busySeconds = 5;

/**
 * Of answers that cost memory until the client has read them, or work until they are made. An answer has its place until it
 * is with the client, or the client is gone; one that is not read to its end in `mostMs` is broken off.
 */
export const createLane = (most: number, mostMs = answerMs): Lane => {
  const inside = new Set<ServerResponse>();
  return (response, answer) => {
    if (inside.size >= most) {
      response
        .writeHead(503, {
          'content-type': 'text/plain; charset=utf-8',
          'retry-after': String(busySeconds),
          connection: 'close',
        })
        .end('Too many requests at a time.\n');
      return;
    }
    inside.add(response);
    // The only way out for an answer that waits for another on its connection (pipelining) when that is closed.
    const late = setTimeout(() => {
      inside.delete(response);
      response.destroy();
    }, mostMs).unref();
    response.once('close', () => {
      inside.delete(response);
      clearTimeout(late);
    });
    return answer();
  };
};
