// Loaded by Node before the main file. It comes back once the program's files are there, and Node goes on as it does.
'use strict';

// A worker thread loads this as well, and has nobody to ask.
if (require('node:worker_threads').isMainThread) {
  const fs = require('node:fs');
  const HEARD = 3;
  const TOLD = 4;

  // What most programs need, and Node would load when it is asked for.
  process.stdout;
  process.stderr;
  require('node:readline');
  if (process.argv[1].endsWith('.ts')) {
    require('node:module').stripTypeScriptTypes('enum A { B }\nlet a: A;', { mode: 'transform' });
  }

  fs.writeSync(TOLD, '.');
  fs.closeSync(TOLD);
  const chunk = Buffer.alloc(65536);
  let line = '';
  while (!line.endsWith('\n')) {
    const size = fs.readSync(HEARD, chunk);
    if (size === 0) process.exit(127); // the server is gone
    line += chunk.latin1Slice(0, size);
  }
  fs.closeSync(HEARD);

  // Each word ends with a space, and is written in Base64.
  for (const word of line.split(' ').slice(0, -1)) process.argv.push(Buffer.from(word, 'base64').toString());
}

process.execArgv.splice(process.execArgv.indexOf('--require'), 2);
delete require.cache[__filename];
