// The answer: badge, sentence, who is compared, and the facts that it rests on.
import { css } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { useStyles2, useTheme2 } from '@grafana/ui';
import type { CanaryModel, Names } from '../model/model.ts';
import { armColors, Sign, toneColors } from './tones.tsx';

export function VerdictHeader({ model }: { readonly model: CanaryModel }) {
  const styles = useStyles2(getStyles);
  const { headline, names, remarks } = model;
  const reasons = headline.facts.filter(({ label }) => label === 'why');
  const facts = headline.facts.filter(({ label }) => label !== 'why');
  return (
    <header className={styles.header}>
      <div className={styles.first}>
        <Badge headline={headline} />
        {names && <Versions names={names} />}
      </div>
      {/* A notice below says the same, and more. */}
      {!model.notice && (
        <p className={styles.sentence} role="status">
          {headline.sentence}
        </p>
      )}
      {facts.length > 0 && (
        <dl className={styles.facts}>
          {facts.map(({ label, value, detail }) => (
            <div key={label + value} className={styles.fact} title={detail}>
              <dt>{label}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
      )}
      {(reasons.length > 0 || remarks.length > 0) && (
        <details className={styles.more}>
          <summary>
            {reasons.length > 0 ? 'Why' : ''}
            {reasons.length > 0 && remarks.length > 0 ? ' · ' : ''}
            {remarks.length > 0
              ? `${remarks.length} ${remarks.length === 1 ? 'note' : 'notes'} on the data`
              : ''}
          </summary>
          <ul>
            {reasons.map(({ value }) => (
              <li key={value}>{value}</li>
            ))}
            {remarks.map((remark) => (
              <li key={remark}>{remark}</li>
            ))}
          </ul>
        </details>
      )}
    </header>
  );
}

export function Badge({ headline }: { readonly headline: CanaryModel['headline'] }) {
  const styles = useStyles2(getStyles);
  const { background, text } = toneColors(useTheme2(), headline.tone);
  return (
    <span
      className={styles.badge}
      style={{ background, color: text }}
      data-testid="verdict"
      data-tone={headline.tone}
    >
      <Sign of={headline.tone} size={18} />
      {headline.word}
    </span>
  );
}

const found: Readonly<Record<Names['foundBy'], string>> = {
  options: 'as chosen',
  newest: 'the canary came last',
  name: 'the canary’s name counts higher',
  traffic: 'the canary has less traffic',
};

export function Versions({ names }: { readonly names: Names }) {
  const styles = useStyles2(getStyles);
  const colors = armColors(useTheme2());
  const { app, canary, baseline, foundBy } = names;
  return (
    <span className={styles.versions} title={`Found: ${found[foundBy]}.`}>
      <strong>{app}</strong>
      <span>
        <span className={styles.swatch} style={{ background: colors.canary }} aria-hidden="true" />
        <span className={styles.role}>canary</span> {canary}
      </span>
      <span>
        <span className={styles.swatch} style={{ background: colors.baseline }} aria-hidden="true" />
        <span className={styles.role}>baseline</span> {baseline}
      </span>
      <span className={styles.found}>{found[foundBy]}</span>
    </span>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  header: css({ display: 'flex', flexDirection: 'column', gap: theme.spacing(0.75), flex: 'none' }),
  first: css({ display: 'flex', flexWrap: 'wrap', alignItems: 'center', gap: theme.spacing(0.75, 1.5) }),
  badge: css({
    display: 'inline-flex',
    alignItems: 'center',
    gap: theme.spacing(0.75),
    padding: theme.spacing(0.5, 1.5, 0.5, 1),
    borderRadius: theme.shape.radius.pill,
    fontSize: theme.typography.h4.fontSize,
    fontWeight: theme.typography.fontWeightBold,
    lineHeight: 1.3,
    whiteSpace: 'nowrap',
  }),
  versions: css({
    display: 'inline-flex',
    flexWrap: 'wrap',
    alignItems: 'baseline',
    gap: theme.spacing(0.25, 1.5),
  }),
  swatch: css({
    display: 'inline-block',
    width: 12,
    height: 12,
    borderRadius: 3,
    marginRight: 6,
    verticalAlign: -1,
  }),
  role: css({ color: theme.colors.text.secondary }),
  found: css({ color: theme.colors.text.secondary, fontSize: theme.typography.bodySmall.fontSize }),
  sentence: css({ margin: 0, fontSize: theme.typography.h5.fontSize, lineHeight: 1.4, maxWidth: '75ch' }),
  facts: css({ display: 'flex', flexWrap: 'wrap', gap: theme.spacing(0.25, 2.5), margin: 0 }),
  fact: css({
    display: 'flex',
    gap: theme.spacing(0.75),
    dt: { color: theme.colors.text.secondary, fontWeight: theme.typography.fontWeightRegular, margin: 0 },
    dd: { margin: 0, fontVariantNumeric: 'tabular-nums' },
  }),
  more: css({
    color: theme.colors.text.secondary,
    fontSize: theme.typography.bodySmall.fontSize,
    summary: { cursor: 'pointer', width: 'fit-content' },
    ul: { margin: theme.spacing(0.5, 0, 0, 2.5) },
  }),
});
