// A verdict's tone, or a signal's state, in; its sign (a shape, never colour alone), word and colours out.
import type { GrafanaTheme2 } from '@grafana/data';
import type { Headline, SignalRow } from '../model/model.ts';

/** Canary and baseline: a pair that people with any colour vision tell apart, in both themes. */
export function armColors(theme: GrafanaTheme2): { readonly canary: string; readonly baseline: string } {
  return theme.isDark
    ? { canary: '#ff9830', baseline: '#5794f2' }
    : { canary: '#c4500a', baseline: '#1f60c4' };
}

/** Background and text of a badge. */
export function toneColors(
  theme: GrafanaTheme2,
  tone: Headline['tone'],
): { readonly background: string; readonly text: string } {
  const dark = '#ffffff';
  switch (tone) {
    case 'pass':
      return { background: '#1b7a43', text: dark };
    case 'fail':
      return { background: '#c4162a', text: dark };
    case 'marginal':
      return { background: '#f2cc0c', text: '#1d1a05' };
    case 'skewed':
      return { background: '#6d4fc4', text: dark };
    case 'inconclusive':
    case 'none':
      return { background: theme.isDark ? '#5a6270' : '#565e6b', text: dark };
  }
}

/** Colour of text for a state, readable on the panel's background. */
export function stateColor(theme: GrafanaTheme2, state: SignalRow['state']): string {
  switch (state) {
    case 'worse':
      return theme.colors.error.text;
    case 'suspect':
      return theme.colors.warning.text;
    case 'not-inferior':
      return theme.colors.success.text;
    case 'undecided':
    case 'not-judged':
      return theme.colors.text.secondary;
  }
}

export const stateWords: Readonly<Record<SignalRow['state'], string>> = {
  worse: 'worse',
  suspect: 'suspect',
  'not-inferior': 'within margin',
  undecided: 'undecided',
  'not-judged': '',
};

const shapes: Readonly<Record<Headline['tone'] | SignalRow['state'], string>> = {
  pass: 'M4 12.5 9.5 18 20 6.5',
  'not-inferior': 'M4 12.5 9.5 18 20 6.5',
  fail: 'M5.5 5.5l13 13M18.5 5.5l-13 13',
  worse: 'M5.5 5.5l13 13M18.5 5.5l-13 13',
  marginal: 'M12 4v10M12 18.5v1',
  suspect: 'M12 4v10M12 18.5v1',
  // A beam that leans on its post.
  skewed: 'M3 16 21 7M12 11.5V21M8 21h8',
  inconclusive: 'M6 12h.5M11.75 12h.5M17.5 12h.5',
  undecided: 'M6 12h.5M11.75 12h.5M17.5 12h.5',
  none: 'M5 12h14',
  'not-judged': '',
};

/** The sign of a tone or state; the word beside it says the same, so readers need not hear it. */
export function Sign({ of, size = 16 }: { readonly of: keyof typeof shapes; readonly size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path
        d={shapes[of]}
        fill="none"
        stroke="currentColor"
        strokeWidth={3.2}
        strokeLinecap="round"
        strokeLinejoin="round"
      />
    </svg>
  );
}
