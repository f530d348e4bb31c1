// One page application: the server hands out files, the browser does the rest.
export const ssr = false;
