// The panel's options as Grafana stores them, and how they are edited.
import type { PanelOptionsEditorBuilder } from '@grafana/data';
import { defaultOptions } from '@plumbline/verdict';
import type { JudgeOptions } from '@plumbline/verdict';
import type { ViewSettings } from './model/model.ts';

/** Sections of the panel that can be switched off. */
export const sections = ['overlay', 'strip', 'signals', 'nodes'] as const;
export type Section = (typeof sections)[number];

export interface CanaryOptions {
  /** Names or dashboard variables; empty is found from the data. */
  readonly app: string;
  readonly canary: string;
  readonly baseline: string;
  /** One of 0.5, 0.9, 0.95, 0.99: what is drawn, and the highest that is judged. */
  readonly quantile: number;
  readonly layout: 'full' | 'compact';
  readonly sections: readonly Section[];
  /** What queries are whose refId is not the name of a role: `A=durations, B=requests`. */
  readonly roles: string;
  /** Names of signals of the user's own of which more is better, separated by commas. */
  readonly higherIsBetter: string;
  readonly judge: JudgeOptions;
}

/** Returns what the model needs to know of the options; absent thresholds are the verdict library's. */
export function viewSettings({ quantile, judge }: Pick<CanaryOptions, 'quantile' | 'judge'>): ViewSettings {
  const known = Object.entries(judge).filter(([, value]) => typeof value === 'number');
  return { quantile, judge: { tail: tailOf(quantile), ...(Object.fromEntries(known) as JudgeOptions) } };
}

function tailOf(quantile: number): NonNullable<JudgeOptions['tail']> {
  return ([0.5, 0.9, 0.95] as const).find((p) => p === quantile) ?? defaultOptions.tail;
}

/** Declares the options in the groups in which they are edited. */
export function addOptions(builder: PanelOptionsEditorBuilder<CanaryOptions>): void {
  addShown(builder);
  addVersions(builder);
  addThresholds(builder);
  addQueries(builder);
}

function addShown(builder: PanelOptionsEditorBuilder<CanaryOptions>): void {
  const category = ['Display'];
  const highest: number = defaultOptions.tail;
  builder
    .addRadio({
      ...{ path: 'layout', name: 'Layout', category, defaultValue: 'full' },
      description: 'Compact shows badge, difference and course alone.',
      settings: {
        options: [
          { value: 'full', label: 'Full' },
          { value: 'compact', label: 'Compact' },
        ],
      },
    })
    .addMultiSelect({
      ...{ path: 'sections', name: 'Sections', category, defaultValue: [...sections] as Section[] },
      settings: {
        options: [
          { value: 'overlay', label: 'Overlay' },
          { value: 'strip', label: 'Difference over time' },
          { value: 'signals', label: 'Signals' },
          { value: 'nodes', label: 'Nodes' },
        ] as never,
      },
      showIf: ({ layout }) => layout === 'full',
    })
    .addRadio({
      ...{
        path: 'quantile',
        name: 'Quantile',
        category,
        defaultValue: highest,
      },
      description: 'What is drawn, and the highest that is judged.',
      settings: {
        options: [0.5, 0.9, 0.95, 0.99].map((value) => ({ value, label: `p${100 * value}` })),
      },
    });
}

function addVersions(builder: PanelOptionsEditorBuilder<CanaryOptions>): void {
  const category = ['Versions'];
  const description = 'A name or a variable such as $canary. Empty: found from the data.';
  builder
    .addTextInput({
      path: 'app',
      name: 'App',
      description: 'A name, or a variable such as $app.',
      category,
      defaultValue: '',
    })
    .addTextInput({ path: 'canary', name: 'Canary', description, category, defaultValue: '' })
    .addTextInput({ path: 'baseline', name: 'Baseline', description, category, defaultValue: '' });
}

function addThresholds(builder: PanelOptionsEditorBuilder<CanaryOptions>): void {
  const category = ['Judging'];
  const add = (key: keyof JudgeOptions, name: string, description: string, step: number): void => {
    const defaultValue =
      key in defaultOptions ? defaultOptions[key as keyof typeof defaultOptions] : undefined;
    builder.addNumberInput({
      ...{ path: `judge.${key}`, name, description, category },
      ...(defaultValue === undefined ? {} : { defaultValue }),
      settings: { min: 0, step, placeholder: 'none' },
    });
  };
  add(
    'failMargin',
    'Slowdown that fails',
    'A canary that is proven to be slower by more than this fails. 0.05 is 5 %.',
    0.01,
  );
  add(
    'passMargin',
    'Slowdown that passes',
    'A canary that is proven to be slower by less than this passes.',
    0.01,
  );
  add(
    'marginSeconds',
    'Slowdown nobody notices',
    'In seconds. The larger of this and the shares above counts.',
    0.001,
  );
  add(
    'errorPassMargin',
    'Errors that pass',
    'Difference in error ratio that a passing canary is proven not to have.',
    0.001,
  );
  add('alpha', 'Chance of a wrong fail', 'Over the whole run, however often it is looked at.', 0.01);
  add('passAlpha', 'Chance of a wrong pass', 'Over the whole run.', 0.01);
  add('warmupSeconds', 'Warm-up', 'Seconds for which a new pod’s latency is not judged.', 10);
  add('expectedWeight', 'Expected share of traffic', 'What the rollout gives the canary, such as 0.1.', 0.05);
  add('slo', 'Objective', 'Share of requests without error that the service promises, such as 0.999.', 0.001);
}

function addQueries(builder: PanelOptionsEditorBuilder<CanaryOptions>): void {
  const category = ['Queries'];
  builder
    .addTextInput({
      ...{ path: 'roles', name: 'Queries by refId', category, defaultValue: '' },
      description: 'For queries whose refId is not the name of a role.',
      settings: { placeholder: 'A=durations, B=requests' },
    })
    .addTextInput({
      ...{ path: 'higherIsBetter', name: 'More is better', category, defaultValue: '' },
      description: 'Names of your own signals that fail when they fall, separated by commas.',
      settings: { placeholder: 'conversion, basket' },
    });
}
