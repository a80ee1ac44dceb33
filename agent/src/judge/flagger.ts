// Flagger's webhooks. Flagger reads the status alone: 200 to 202 is yes; "no" is a 4xx, as 5xx are asked again.
import { z } from 'zod';
import type { VerdictAnswer } from '../history/answer.ts';
import { parseBody, type Surface, type SurfaceAnswer } from './surface.ts';

const payload = z.object({
  name: z.string().min(1),
  namespace: z.string().optional(),
  phase: z.string().optional(),
  metadata: z.record(z.string(), z.string()).nullish(),
});

type Payload = z.output<typeof payload>;

/** Something that Flagger told. */
export interface FlaggerEvent {
  readonly unixMs: number;
  readonly name: string;
  readonly namespace: string;
  readonly phase: string;
  readonly message: string;
}

const isFail = ({ verdict }: VerdictAnswer) => verdict === 'fail';
const isPass = ({ code }: VerdictAnswer) => code === 'pass';

/** When each gate says yes; what "no" does is Flagger's: wait, count a failed check, or not roll back. */
const gates: Readonly<Record<string, (answer: VerdictAnswer) => boolean>> = {
  '/flagger/rollout': (answer) => !isFail(answer),
  '/flagger/confirm-traffic-increase': isPass,
  '/flagger/confirm-promotion': isPass,
  '/flagger/rollback': isFail,
};

const mostEvents = 200;

/** Returns the surface; events are kept, newest last, for whoever draws annotations. */
export const createFlaggerSurface = (events: FlaggerEvent[]): Surface => {
  return (request, service) => {
    const { path, method, body } = request;
    if (path === '/api/v1/events' && method === 'GET') return { status: 200, body: { events } };
    if (!path.startsWith('/flagger/')) return undefined;
    if (method !== 'POST') return { status: 405, body: 'Only POST.\n' };
    if (path === '/flagger/event') return keepEvent(events, parseBody(payload, body));
    const gate = Object.hasOwn(gates, path) ? gates[path] : undefined;
    if (gate === undefined) return undefined;
    const asked = parseBody(payload, body);
    return service.verdict(wishOf(asked)).then((answer) => gateAnswer(gate(answer), answer));
  };
};

/**
 * Flagger runs the old version as NAME-primary, with that as its app label; versions named in the webhook's metadata
 * are compared instead where there are any.
 */
const wishOf = ({ name, namespace, metadata }: Payload) => {
  const { app = name, canary, baseline } = metadata ?? {};
  const isNamed = canary !== undefined || baseline !== undefined;
  return {
    app,
    namespace: metadata?.namespace ?? namespace,
    ...(isNamed ? { canary, baseline } : { by: 'app' as const, canary: name, baseline: `${name}-primary` }),
  };
};

const gateAnswer = (isYes: boolean, { verdict, message, samples }: VerdictAnswer): SurfaceAnswer => {
  const wait =
    samples.etaSeconds === null
      ? ''
      : ` An answer is expected in about ${Math.ceil(samples.etaSeconds / 60)} min.`;
  return { status: isYes ? 200 : 409, body: `${verdict}: ${message}${wait}\n` };
};

const keepEvent = (events: FlaggerEvent[], { name, namespace = '', phase = '', metadata }: Payload) => {
  const message = metadata?.eventMessage ?? '';
  events.push({ unixMs: Date.now(), name, namespace, phase, message: message.slice(0, 500) });
  if (events.length > mostEvents) events.shift();
  return { status: 200, body: 'kept\n' } as const;
};
