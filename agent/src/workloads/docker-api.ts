// In: the socket of a Docker daemon; out: its living containers, unchecked.
import { once } from 'node:events';
import { get } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { readBody } from '../http/body.ts';

// Not only those that run: the cgroup of a container is there, and works, a moment before it is listed as running.
// Stopped ones, of which there may be thousands, have no cgroup. Without a version prefix the daemon speaks its own.
const filters = { status: ['created', 'running', 'paused', 'restarting'] };
const path = `/containers/json?filters=${encodeURIComponent(JSON.stringify(filters))}`;

/** 8 MiB are about two thousand containers with all their labels and mounts. */
export const maxAnswerBytes = 8 * 1024 * 1024;

/**
 * Returns the daemon's answer, parsed. Throws, with the cause, when there is no daemon, when its answer is no JSON,
 * larger than `maxAnswerBytes`, or not complete after `timeoutMs`.
 */
export const listContainers = async (socketPath: string, timeoutMs: number): Promise<unknown> => {
  // A limit for the whole answer: a timeout of the socket would never end one that comes byte by byte.
  const deadline = AbortSignal.timeout(timeoutMs);
  const request = get({ socketPath, path, agent: false, signal: deadline, headers: { host: 'docker' } });
  // What ends the request after its head reaches the reader of the body as well.
  request.on('error', () => undefined);
  // Nobody need wait for Docker in order to end.
  request.on('socket', (socket) => socket.unref());
  try {
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    const body = await readBody(response, maxAnswerBytes);
    if (response.statusCode !== 200) {
      throw new Error(`Expected status 200, got ${response.statusCode ?? 'none'}: ${body.slice(0, 200)}`);
    }
    return JSON.parse(body);
  } catch (error) {
    if (!deadline.aborted) throw error;
    throw new Error(`Expected an answer within ${timeoutMs} ms`, { cause: error });
  } finally {
    request.destroy();
  }
};
