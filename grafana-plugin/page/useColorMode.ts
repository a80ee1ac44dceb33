// Light or dark: as the system has it, until the user says otherwise; then as said, in this browser.
import { useEffect, useState } from 'react';

type Mode = 'light' | 'dark';

const key = 'plumbline.mode';
const system = matchMedia('(prefers-color-scheme: dark)');

/** Returns the mode, and what changes it to the other. */
export function useColorMode(): [Mode, () => void] {
  const [chosen, setChosen] = useState(stored);
  const [isDark, setIsDark] = useState(system.matches);
  useEffect(() => {
    const onChange = () => {
      setIsDark(system.matches);
    };
    system.addEventListener('change', onChange);
    return () => {
      system.removeEventListener('change', onChange);
    };
  }, []);
  const mode = chosen ?? (isDark ? 'dark' : 'light');
  const toggle = () => {
    const next = mode === 'dark' ? 'light' : 'dark';
    store(next);
    setChosen(next);
  };
  return [mode, toggle];
}

/** A browser may keep nothing; then nothing is kept. */
function stored(): Mode | undefined {
  try {
    const mode = localStorage.getItem(key);
    return mode === 'light' || mode === 'dark' ? mode : undefined;
  } catch {
    return undefined;
  }
}

function store(mode: Mode): void {
  try {
    localStorage.setItem(key, mode);
  } catch {
    // As above.
  }
}
