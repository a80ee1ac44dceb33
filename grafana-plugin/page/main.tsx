// The agent's page: starts it once its fonts are there, since uPlot writes its axes once.
import { styleCache } from './surroundings.ts';
import { CacheProvider } from '@emotion/react';
import { createRoot } from 'react-dom/client';
import { Page } from './Page.tsx';
import './page.css';

const fonts = ['400', '500'].map((weight) => document.fonts.load(`${weight} 12px Inter`));
void Promise.allSettled(fonts).then(() => {
  createRoot(document.getElementById('root') ?? document.body).render(
    <CacheProvider value={styleCache}>
      <Page />
    </CacheProvider>,
  );
});
