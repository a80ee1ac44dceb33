// Style sheets are loaded for their effect.
declare module '*.css';
