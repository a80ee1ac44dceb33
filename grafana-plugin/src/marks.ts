// The annotations and exemplars of a panel in; moments to draw out.
import type { DataFrame, PanelData } from '@grafana/data';
import type { Mark } from './components/TimeChart.tsx';

/** Returns what is to be drawn; exemplars have a value in seconds, annotations a text. */
export function marksOf({ annotations = [] }: Pick<PanelData, 'annotations'>): readonly Mark[] {
  return annotations.flatMap((frame) => (isExemplars(frame) ? exemplarMarks(frame) : annotationMarks(frame)));
}

function isExemplars({ name, meta }: DataFrame): boolean {
  return (
    name === 'exemplar' || (meta?.custom as { resultType?: string } | undefined)?.resultType === 'exemplar'
  );
}

function exemplarMarks(frame: DataFrame): readonly Mark[] {
  const [times, values, traces] = [column(frame, 'Time'), column(frame, 'Value'), column(frame, 'traceID')];
  return times.map((time, i) => ({
    time: Number(time),
    value: Number(values[i]),
    text: ['exemplar', traces[i]].filter((part) => typeof part === 'string').join(' '),
  }));
}

function annotationMarks(frame: DataFrame): readonly Mark[] {
  const [texts, titles, colors] = [column(frame, 'text'), column(frame, 'title'), column(frame, 'color')];
  return column(frame, 'time').map((time, i) => {
    const color = colors[i];
    const text = [titles[i], texts[i]].filter((part) => typeof part === 'string' && part !== '').join(': ');
    return { time: Number(time), text, ...(typeof color === 'string' ? { color } : {}) };
  });
}

function column({ fields }: DataFrame, name: string): readonly unknown[] {
  return fields.find((field) => field.name === name)?.values ?? [];
}
