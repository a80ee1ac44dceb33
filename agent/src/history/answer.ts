// In: a verdict. Out: the JSON in which the agent and the judge answer it over HTTP. Pure.
import { reasonSentence, type Verdict } from '@plumbline/verdict';

/** A verdict with what people need besides: where the app is, and a message in place of bare codes. */
export interface VerdictAnswer extends Verdict {
  readonly namespace: string | null;
  readonly message: string;
}

/** Without a message of its own, the answer says its reasons. */
export const verdictAnswer = (
  verdict: Verdict,
  namespace: string | null,
  message = reasonSentences(verdict),
): VerdictAnswer => ({ ...verdict, namespace, message });

/** The reasons of a verdict as text. */
export const reasonSentences = ({ reasons }: Verdict): string => reasons.map(reasonSentence).join(' ');
