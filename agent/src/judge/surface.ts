// What a rollout tool's part of the judge is: requests that it knows in, answers out.
import { z } from 'zod';
import type { JudgeService } from './service.ts';

/** A request as the surfaces see it. */
export interface SurfaceRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  /** Empty without one. */
  readonly body: string;
}

/** JSON with an object as body, plain text with a string. */
export interface SurfaceAnswer {
  readonly status: 200 | 400 | 404 | 405 | 409;
  readonly body: unknown;
}

/** Undefined for a request that is not for this surface. */
export type Surface = (
  request: SurfaceRequest,
  service: JudgeService,
) => Promise<SurfaceAnswer> | SurfaceAnswer | undefined;

export const ok = (body: unknown): SurfaceAnswer => ({ status: 200, body });

/** A request that is wrong; the message repeats nothing of it. */
export class RequestError extends Error {
  override readonly name = 'RequestError';
}

/**
 * Returns a JSON body that has the shape, other keys left aside: tools add some with every version.
 *
 * @throws RequestError naming the first thing that is wrong
 */
export const parseBody = <Schema extends z.ZodType>(schema: Schema, body: string): z.output<Schema> => {
  let document: unknown;
  try {
    document = JSON.parse(body);
  } catch {
    throw new RequestError('Expected a JSON body');
  }
  const result = schema.safeParse(document);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const place = issue?.path.map(String).join('.') ?? '';
  throw new RequestError(
    `Expected ${place === '' ? 'another body' : `${place} to be right`}: ${issue?.message ?? ''}`,
  );
};
