// The stand-in's front end: what `next start` is for the real one. It serves the prerendered page, read once at the
// start as Next.js does, and the build's assets, read at each request, so that a removed build shows.
'use strict';

const fs = require('node:fs');
const http = require('node:http');
const path = require('node:path');

const PORT = Number(process.env.PORT || 3000);
const HOST = process.env.HOST || '127.0.0.1';
const BUILD = path.join(process.cwd(), '.next');
const STATIC = path.join(BUILD, 'static');
const TYPES = { '.js': 'application/javascript; charset=UTF-8', '.css': 'text/css; charset=UTF-8', '.json': 'application/json' };

process.title = 'next-server';

let page;
try {
  fs.readFileSync(path.join(BUILD, 'BUILD_ID'));
  page = fs.readFileSync(path.join(BUILD, 'server', 'app', 'index.html'));
} catch {
  console.error("Error: Could not find a production build in the '.next' directory. Try building your app with 'next build'.");
  process.exit(1);
}

function send(request, response, status, type, body, extra = {}) {
  response.writeHead(status, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(body), 'X-Powered-By': 'Next.js', ...extra });
  response.end(request.method === 'HEAD' ? undefined : body);
}

function notFound(request, response) {
  send(request, response, 404, 'text/html; charset=utf-8', '<!DOCTYPE html><html><body><h1>404</h1><p>This page could not be found.</p></body></html>');
}

const server = http.createServer((request, response) => {
  let pathname;
  try {
    pathname = decodeURIComponent(new URL(request.url, 'http://frontend.invalid').pathname);
  } catch {
    send(request, response, 400, 'text/plain', 'Bad Request');
    return;
  }
  if (pathname === '/') {
    send(request, response, 200, 'text/html; charset=utf-8', page, { 'x-nextjs-cache': 'HIT' });
    return;
  }
  if (!pathname.startsWith('/_next/static/')) {
    notFound(request, response);
    return;
  }
  const file = path.join(STATIC, pathname.slice('/_next/static/'.length));
  if (!file.startsWith(STATIC + path.sep)) {
    notFound(request, response);
    return;
  }
  fs.readFile(file, (error, body) => {
    if (error) notFound(request, response);
    else {
      const type = TYPES[path.extname(file)] || 'application/octet-stream';
      send(request, response, 200, type, body, { 'Cache-Control': 'public, max-age=31536000, immutable' });
    }
  });
});

server.on('error', (error) => {
  console.error(`Failed to start server: ${error.code} on port ${PORT}`);
  process.exit(1);
});
server.listen(PORT, HOST, () => console.log(`   ▲ Next.js 15\n   - Local: http://${HOST}:${PORT}\n ✓ Ready`));

for (const signal of ['SIGTERM', 'SIGINT']) {
  process.on(signal, () => {
    server.close(() => process.exit(0));
    server.closeAllConnections();
  });
}
