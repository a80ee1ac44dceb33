// A page of Grafana's own packages that loads the built plugin as Grafana does: the tests' and the bench's stage.
import 'systemjs/dist/system.js';
import 'systemjs/dist/extras/amd.js';
import * as emotion from '@emotion/css';
import * as grafanaData from '@grafana/data';
import * as grafanaUi from '@grafana/ui';
import type { PanelData, PanelPlugin } from '@grafana/data';
import { createRoot } from 'react-dom/client';
import { flushSync } from 'react-dom';
import * as React from 'react';
import * as jsxRuntime from 'react/jsx-runtime';
import type { CanaryOptions } from '../src/options.ts';
import { timesOf } from './parts.ts';
import type { Times } from './parts.ts';

const { createTheme, DataHoverEvent, dateTime, EventBusSrv, LoadingState, ThemeContext } = grafanaData;
const { GlobalStyles, PanelChrome, PanelContextProvider, PortalContainer } = grafanaUi;

/** What a panel is shown with. */
export interface Scene {
  readonly frames: PanelData['series'];
  readonly annotations?: PanelData['series'];
  /** Unix seconds. */
  readonly from: number;
  readonly to: number;
  readonly options: Partial<CanaryOptions>;
  readonly theme: 'light' | 'dark';
  readonly width: number;
  readonly height: number;
  readonly refIds?: readonly string[];
  readonly error?: string;
  readonly variables?: Readonly<Record<string, string>>;
}

/** What the page offers to those who drive it. */
export interface Host {
  /** The zooms that a user has asked for, in ms. */
  readonly zooms: { readonly from: number; readonly to: number }[];
  /** The moments, in ms, that the panel has told other panels its pointer is at. */
  readonly hovers: number[];
  /** The pointer of another panel is at a moment, in ms. */
  readonly hoverElsewhere: (time: number) => void;
  readonly plugin: PanelPlugin<CanaryOptions>;
  /** Draws a scene, given as JSON; resolves when it is painted, with how many ms that took from having the data. */
  readonly show: (scene: string) => Promise<number>;
  /** Draws the same scene otherwise. */
  readonly change: (change: Partial<Scene>) => Promise<number>;
  /** Draws the scene that was shown last with its data parsed anew, as a refresh does; for the bench. */
  readonly refresh: () => Promise<Updates & Times>;
}

/** ms from having the data to its paint. */
export interface Updates {
  /** What was parsed is moved out of the nursery first, as when Grafana has prepared it. */
  readonly update: number;
  /** Straight after parsing: the garbage collector moves what was parsed in between. */
  readonly afterParse: number;
}

declare global {
  interface Window {
    /** The garbage collector, where the bench asked for it. */
    readonly gc?: (options: { readonly type: 'minor' }) => void;
    /** Put there by those who test. */
    readonly axe: typeof import('axe-core');
    plumblineHost: Promise<Host>;
  }
}

window.plumblineHost = start();

async function start(): Promise<Host> {
  // The editors of options live in Grafana's core; here nobody edits.
  const editors = ['radio', 'select', 'multi-select', 'text', 'number', 'boolean', 'slider'];
  grafanaData.standardEditorsRegistry.setInit(() =>
    editors.map((id) => ({ id, name: id, editor: () => null })),
  );
  const shared: Readonly<Record<string, object>> = {
    react: React,
    'react/jsx-runtime': jsxRuntime,
    '@emotion/css': emotion,
    '@grafana/data': grafanaData,
    '@grafana/ui': grafanaUi,
  };
  for (const [name, module] of Object.entries(shared)) System.set(`package:${name}`, module);
  const imports = Object.fromEntries(Object.keys(shared).map((name) => [name, `package:${name}`]));
  System.addImportMap({ imports });
  const { plugin } = await System.import<Pick<Host, 'plugin'>>('/plugin/module.js');
  const root = createRoot(document.getElementById('root') ?? document.body);
  const zooms: { from: number; to: number }[] = [];
  const eventBus = new EventBusSrv();
  const hovers: number[] = [];
  eventBus.getStream(DataHoverEvent).subscribe(({ tags, payload }) => {
    if (tags?.has('uplot') && typeof payload.point.time === 'number') hovers.push(payload.point.time);
  });
  // uPlot writes its axes once: the fonts have to be there before.
  await Promise.all(['400', '500'].map((weight) => document.fonts.load(`${weight} 12px Inter`)));
  let text = '{}';
  let shown: Scene | undefined;
  const show = async (scene: Scene): Promise<number> => {
    shown = scene;
    const started = performance.now();
    flushSync(() => {
      root.render(<Stage {...{ scene, plugin, eventBus }} onZoom={(range) => zooms.push(range)} />);
    });
    await painted();
    return performance.now() - started;
  };
  return {
    plugin,
    zooms,
    hovers,
    hoverElsewhere: (time) => {
      eventBus.publish(new DataHoverEvent({ point: { time } }));
    },
    refresh: async () => {
      const parse = (): Scene => JSON.parse(text) as Scene;
      const parseSettled = (): Scene => {
        const scene = parse();
        window.gc?.({ type: 'minor' });
        return scene;
      };
      return {
        ...timesOf(parseSettled().frames),
        update: await show(parseSettled()),
        afterParse: await show(parse()),
      };
    },
    show: (scene) => {
      text = scene;
      return show(JSON.parse(scene) as Scene);
    },
    change: (change) => {
      if (!shown) throw new Error('Nothing is shown yet');
      return show({ ...shown, ...change });
    },
  };
}

interface StageProps {
  readonly scene: Scene;
  readonly plugin: PanelPlugin<CanaryOptions>;
  readonly eventBus: grafanaData.EventBus;
  readonly onZoom: (range: { from: number; to: number }) => void;
}

/** A theme is made once, as in Grafana: with a new one every style would be. */
const themes = {
  light: createTheme({ colors: { mode: 'light' } }),
  dark: createTheme({ colors: { mode: 'dark' } }),
};

/** What Grafana puts around a panel: theme, chrome, and the panel's props. */
function Stage({ scene, plugin, eventBus, onZoom }: StageProps) {
  const { from, to, width, height, error, variables = {} } = scene;
  const theme = themes[scene.theme];
  const timeRange = {
    from: dateTime(from * 1000),
    to: dateTime(to * 1000),
    raw: { from: 'now-1h', to: 'now' },
  };
  const refIds = scene.refIds ?? [...new Set(scene.frames.map(({ refId = '' }) => refId))];
  const data = {
    state: error === undefined ? LoadingState.Done : LoadingState.Error,
    series: scene.frames,
    annotations: scene.annotations ?? [],
    timeRange,
    ...(error === undefined ? {} : { errors: [{ message: error, refId: refIds[0] }] }),
    request: { targets: refIds.map((refId) => ({ refId })) },
  } as unknown as PanelData;
  const defaults = grafanaData.getPanelOptionsWithDefaults({
    plugin: plugin as never,
    currentOptions: plugin.onPanelMigration ? { ...scene.options } : {},
    currentFieldConfig: { defaults: {}, overrides: [] },
    isAfterPluginChange: false,
  });
  const Panel = plugin.panel;
  if (!Panel) throw new Error('The plugin has no panel');
  return (
    <ThemeContext.Provider value={theme}>
      <GlobalStyles />
      <PanelContextProvider value={{ eventBus, eventsScope: 'host' }}>
        <main style={{ background: theme.colors.background.canvas, padding: 12, width: width + 24 }}>
          <PanelChrome title="Canary" width={width} height={height}>
            {(innerWidth, innerHeight) => (
              <Panel
                id={1}
                data={data}
                timeRange={timeRange}
                timeZone="utc"
                options={defaults.options as unknown as CanaryOptions}
                fieldConfig={{ defaults: {}, overrides: [] }}
                transparent={false}
                width={innerWidth}
                height={innerHeight}
                renderCounter={0}
                title="Canary"
                eventBus={eventBus}
                onOptionsChange={() => undefined}
                onFieldConfigChange={() => undefined}
                replaceVariables={(text) =>
                  text.replace(/\$(\w+)/g, (all, name: string) => variables[name] ?? all)
                }
                onChangeTimeRange={({ from: start, to: end }) => {
                  onZoom({ from: start, to: end });
                }}
              />
            )}
          </PanelChrome>
        </main>
      </PanelContextProvider>
      <PortalContainer />
    </ThemeContext.Provider>
  );
}

/** Two frames on, what was drawn is on the screen. */
function painted(): Promise<void> {
  return new Promise((resolve) => {
    requestAnimationFrame(() => {
      setTimeout(resolve, 0);
    });
  });
}
