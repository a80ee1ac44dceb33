// In: a score and Kayenta's thresholds. Out: Kayenta's class for it. Pure.

export interface Thresholds {
  readonly pass: number;
  readonly marginal: number;
}

/** Pass from `pass` on, marginal from `marginal` on, otherwise fail. */
export const scoreClass = (score: number, { pass, marginal }: Thresholds) => ({
  classification: score >= pass ? 'Pass' : score >= marginal ? 'Marginal' : 'Fail',
});
