// All dashboards, by the name of their file.
import { debug } from './debug.ts';
import { executive } from './executive.ts';
import { onCall } from './on-call.ts';

export const dashboards: Readonly<Record<string, object>> = { executive, 'on-call': onCall, debug };
