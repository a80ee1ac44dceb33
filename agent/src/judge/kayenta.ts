// Kayenta's API as far as Argo Rollouts asks it, and the RemoteJudge that Kayenta itself asks. Nothing is stored: what
// was asked is the id of its answer, so that a judge that restarts, or another replica, answers the same.
import { z } from 'zod';
import { scoreClass, type Thresholds } from './score.ts';
import { ok, parseBody, RequestError, type Surface } from './surface.ts';
import { readSince } from './since.ts';

const scope = z.object({
  /** The version. */
  scope: z.string().min(1),
  /** The namespace; Argo Rollouts calls it region. */
  location: z.string().nullish(),
  region: z.string().nullish(),
  start: z.string().nullish(),
});

const execution = z.object({
  scopes: z
    .record(z.string(), z.object({ controlScope: scope, experimentScope: scope }))
    .refine((scopes) => Object.keys(scopes).length > 0, 'at least one scope'),
  thresholds: z.object({ pass: z.number(), marginal: z.number() }).optional(),
});

const idShape = z.object({
  app: z.string(),
  canary: z.string(),
  baseline: z.string(),
  namespace: z.string().optional(),
  since: z.number().optional(),
  pass: z.number(),
  marginal: z.number(),
});

type Execution = z.output<typeof idShape>;

/** The name to give as canaryConfigName. */
const configName = 'plumbline';
/** Kayenta's own defaults. */
const usualThresholds: Thresholds = { pass: 95, marginal: 75 };

/** GET /canaryConfig, POST /canary/ID, GET /canary/EXECUTION. */
export const kayentaSurface: Surface = ({ method, path, query, body }, service) => {
  if (path === '/canaryConfig' && method === 'GET')
    return ok([describeConfig(query.get('application') ?? '')]);
  const [, id] = /^\/canary\/([\w-]+)$/.exec(path) ?? [];
  if (id === undefined) return undefined;
  if (method === 'POST') {
    const started = readExecution(query.get('application') ?? '', body);
    return ok({ canaryExecutionId: Buffer.from(JSON.stringify(started)).toString('base64url') });
  }
  if (method !== 'GET') return { status: 405, body: 'Only GET and POST.\n' };
  const { pass, marginal, ...wish } = readId(id);
  return service.verdict(wish).then((answer) => {
    const { score, message, window } = answer;
    const { classification } = scoreClass(score, { pass, marginal });
    const result = {
      application: wish.app,
      canaryDuration: null,
      judgeResult: {
        judgeName: 'plumbline',
        score: { score, classification, classificationReason: message },
        results: [],
        groupScores: [],
      },
      verdict: answer,
    };
    return ok({
      complete: true,
      status: 'succeeded',
      stageStatus: { judge: 'succeeded' },
      canaryConfigId: configName,
      startTimeIso: window.from,
      endTimeIso: window.to,
      application: wish.app,
      result,
    });
  });
};

const describeConfig = (application: string) => ({
  id: configName,
  name: configName,
  updatedTimestamp: 0,
  updatedTimestampIso: new Date(0).toISOString(),
  applications: [application],
});

const readExecution = (app: string, body: string): Execution => {
  if (app === '') throw new RequestError('Expected the query parameter application');
  const { scopes, thresholds = usualThresholds } = parseBody(execution, body);
  const first = Object.values(scopes)[0];
  if (first === undefined) throw new RequestError('Expected a scope');
  const { controlScope, experimentScope } = first;
  const namespace = experimentScope.location ?? experimentScope.region ?? undefined;
  const start = experimentScope.start ?? undefined;
  return {
    app,
    canary: experimentScope.scope,
    baseline: controlScope.scope,
    ...(namespace !== undefined && namespace !== '' && { namespace }),
    ...(start !== undefined && start !== '' && { since: readStart(start) }),
    pass: thresholds.pass,
    marginal: thresholds.marginal,
  };
};

const readStart = (text: string): number => {
  const start = readSince(text);
  if (Number.isNaN(start)) throw new RequestError('Expected experimentScope.start to be an ISO time');
  return start;
};

const readId = (id: string): Execution => parseBody(idShape, Buffer.from(id, 'base64url').toString());
