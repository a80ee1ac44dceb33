// POST /judge: Kayenta hands over a canary config and the pooled series that it has fetched; the verdict comes from our
// own measurements, since no test of pooled series can tell a node from the code.
import { z } from 'zod';
import { scoreClass } from './score.ts';
import { ok, parseBody, RequestError, type Surface } from './surface.ts';

const metricSetPair = z.object({
  name: z.string().default(''),
  id: z.string().default(''),
  tags: z.record(z.string(), z.string()).nullish(),
  scopes: z.record(z.string(), z.object({ startTimeMillis: z.number().nullish() })).nullish(),
});

const request = z.object({
  canaryConfig: z.object({
    applications: z.array(z.string()).nullish(),
    judge: z.object({ judgeConfigurations: z.record(z.string(), z.unknown()).nullish() }).nullish(),
  }),
  scoreThresholds: z.object({ pass: z.number(), marginal: z.number() }),
  metricSetPairList: z.array(metricSetPair).default([]),
});

type Request = z.output<typeof request>;

const configuration = z.object({
  app: z.string().min(1).optional(),
  namespace: z.string().min(1).optional(),
  canary: z.string().min(1).optional(),
  baseline: z.string().min(1).optional(),
});

/** Kayenta's request in, its CanaryJudgeResult out. */
export const remoteJudgeSurface: Surface = ({ method, path, body }, service) => {
  if (path !== '/judge') return undefined;
  if (method !== 'POST') return { status: 405, body: 'Only POST.\n' };
  const asked = parseBody(request, body);
  return service.verdict(wishOf(asked)).then(({ score, message }) => {
    const { classification } = scoreClass(score, asked.scoreThresholds);
    const verdict = { classification, classificationReason: message };
    return ok({
      judgeName: 'plumbline',
      score: { score, ...verdict },
      groupScores: [{ name: 'plumbline', score, ...verdict }],
      // The series that Kayenta sent were not judged, and it is told so metric by metric.
      results: asked.metricSetPairList.map(({ name, id, tags }) => ({
        name,
        id,
        tags: tags ?? {},
        groups: ['plumbline'],
        experimentMetadata: {},
        controlMetadata: {},
        resultMetadata: {},
        classification: 'Nodata',
        classificationReason: 'Plumbline judges by its own measurements.',
        critical: false,
      })),
    });
  });
};

/** Who is compared stands in judge.judgeConfigurations; without it, the newest version with the busiest other. */
const wishOf = ({ canaryConfig, metricSetPairList }: Request) => {
  const named = configuration.safeParse(canaryConfig.judge?.judgeConfigurations ?? {});
  if (!named.success)
    throw new RequestError(
      'Expected canaryConfig.judge.judgeConfigurations to have app, namespace, canary and baseline as texts',
    );
  const app = named.data.app ?? canaryConfig.applications?.[0];
  if (app === undefined)
    throw new RequestError(
      'Expected canaryConfig.applications or judge.judgeConfigurations.app to name the app',
    );
  const starts = metricSetPairList.flatMap(({ scopes }) =>
    Object.values(scopes ?? {}).flatMap(({ startTimeMillis }) => startTimeMillis ?? []),
  );
  return { ...named.data, app, ...(starts.length > 0 && { since: Math.min(...starts) / 1000 }) };
};
