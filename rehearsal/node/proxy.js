// The stand-in's nginx: ends TLS, routes to the active slot, adds security headers, writes an access log, and shows the
// maintenance page. Usage: node proxy.js CONFIG.json. Slot and maintenance are read from files at each request, so that
// traffic is switched as on a server: by writing a file, without a restart.
'use strict';

const fs = require('node:fs');
const http = require('node:http');
const https = require('node:https');

const config = JSON.parse(fs.readFileSync(process.argv[2], 'utf8'));
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const MAINTENANCE =
  '<!DOCTYPE html><html lang="ja"><head><meta charset="utf-8"><title>メンテナンス中</title></head>' +
  '<body><h1>メンテナンス中</h1><p>ただいまメンテナンス中です。しばらくしてからお試しください。</p></body></html>';

const two = (number) => String(number).padStart(2, '0');

function localTime(date) {
  const offset = -date.getTimezoneOffset();
  const size = Math.abs(offset);
  const zone = `${offset < 0 ? '-' : '+'}${two(Math.floor(size / 60))}${two(size % 60)}`;
  const day = `${two(date.getDate())}/${MONTHS[date.getMonth()]}/${date.getFullYear()}`;
  return `${day}:${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())} ${zone}`;
}

// nginx escapes quotes, backslashes and control characters in variables: a request must not be able to forge a line.
function escaped(value) {
  if (!value) return '-';
  return [...Buffer.from(String(value))]
    .map((b) => (b < 0x20 || b > 0x7e || b === 0x22 || b === 0x5c ? `\\x${b.toString(16).toUpperCase().padStart(2, '0')}` : String.fromCharCode(b)))
    .join('');
}

function logged(request, response) {
  const line =
    `${request.socket.remoteAddress || '-'} - - [${localTime(new Date())}] ` +
    `"${escaped(`${request.method} ${request.url} HTTP/${request.httpVersion}`)}" ${response.statusCode} ${response.sentBytes || 0} ` +
    `"${escaped(request.headers.referer)}" "${escaped(request.headers['user-agent'])}" "${escaped(request.headers['x-forwarded-for'])}"\n`;
  try {
    fs.appendFileSync(config.access_log, line);
  } catch {
    // nginx, too, keeps serving when its log cannot be written.
  }
}

function secured(headers) {
  return {
    ...headers,
    ...(config.security_headers
      ? {
          'strict-transport-security': 'max-age=31536000; includeSubDomains',
          'x-content-type-options': 'nosniff',
          'x-frame-options': 'SAMEORIGIN',
        }
      : {}),
  };
}

function page(response, status, body, headers = {}) {
  response.sentBytes = Buffer.byteLength(body);
  response.writeHead(status, secured({ 'content-type': 'text/html; charset=utf-8', 'content-length': response.sentBytes, ...headers }));
  response.end(body);
}

function failure(response, status, reason) {
  if (response.headersSent) response.destroy();
  else page(response, status, `<html><head><title>${status} ${reason}</title></head><body><center><h1>${status} ${reason}</h1></center></body></html>\n`);
}

function upstream(url) {
  const slot = config.slots[fs.readFileSync(config.active_slot_file, 'utf8').trim()];
  const path = url.split('?', 1)[0];
  return path === '/health' || path.startsWith('/api/') ? slot.api_port : slot.frontend_port;
}

function forward(request, response) {
  response.on('close', () => logged(request, response));
  if (fs.existsSync(config.maintenance_file)) {
    request.resume();
    page(response, 503, MAINTENANCE, { 'retry-after': '600' });
    return;
  }
  const path = request.url.split('?', 1)[0];
  if (config.static_health && (path === '/health' || path.startsWith('/api/'))) {
    request.resume();
    if (path === '/health') page(response, 200, 'healthy\n', { 'content-type': 'text/plain' });
    else failure(response, 404, 'Not Found');
    return;
  }
  let port;
  try {
    port = upstream(request.url);
  } catch {
    failure(response, 502, 'Bad Gateway');
    return;
  }
  const client = request.socket.remoteAddress;
  const before = request.headers['x-forwarded-for'];
  const headers = {
    ...request.headers,
    'x-real-ip': client,
    'x-forwarded-for': before ? `${before}, ${client}` : client,
    'x-forwarded-proto': 'https',
    connection: 'close',
  };
  const options = { host: '127.0.0.1', port, method: request.method, path: request.url, headers, agent: false, timeout: config.upstream_timeout_ms };
  const outgoing = http.request(options, (incoming) => {
    const kept = { ...incoming.headers };
    delete kept.connection;
    delete kept['keep-alive'];
    response.writeHead(incoming.statusCode, secured(kept));
    response.sentBytes = 0;
    incoming.on('data', (chunk) => {
      response.sentBytes += chunk.length;
    });
    incoming.on('error', () => response.destroy());
    incoming.pipe(response);
  });
  outgoing.on('timeout', () => {
    failure(response, 504, 'Gateway Time-out');
    outgoing.destroy();
  });
  outgoing.on('error', () => failure(response, 502, 'Bad Gateway'));
  response.on('close', () => outgoing.destroy());
  request.pipe(outgoing);
}

function redirect(request, response) {
  response.on('close', () => logged(request, response));
  request.resume();
  const host = (request.headers.host || 'localhost').replace(/:\d+$/, '');
  response.sentBytes = 0;
  response.writeHead(301, { location: `https://${host}:${config.public_port}${request.url}`, 'content-length': '0' });
  response.end();
}

const secure = https.createServer(
  {
    key: fs.readFileSync(config.key_file),
    cert: fs.readFileSync(config.certificate_file),
    minVersion: config.tls_min_version,
    maxVersion: config.tls_max_version,
    ...(config.tls_ciphers ? { ciphers: config.tls_ciphers } : {}),
  },
  forward,
);
const plain = http.createServer(config.redirect_http ? redirect : forward);

for (const [server, port] of [[secure, config.public_port], [plain, config.http_port]]) {
  server.on('error', (error) => {
    console.error(`proxy: cannot listen on port ${port}: ${error.code}`);
    process.exit(1);
  });
  server.listen(port, '127.0.0.1');
}

for (const signal of ['SIGTERM', 'SIGINT']) {
  process.on(signal, () => {
    for (const server of [secure, plain]) {
      server.close();
      server.closeAllConnections();
    }
    process.exit(0);
  });
}
