// The stand-in's API: the built backend (backend/dist/main.js), in plain Node.js. It answers as the real one does
// and really asks PostgreSQL, through psql, for every request that needs data.
'use strict';

const crypto = require('node:crypto');
const fs = require('node:fs');
const http = require('node:http');
const os = require('node:os');
const { execFile } = require('node:child_process');

const PORT = Number(process.env.PORT || 3004);
const HOST = process.env.HOST || '127.0.0.1';
const PSQL = process.env.PSQL || 'psql';
const RATE_LIMIT = Number(process.env.RATE_LIMIT || 100);
const RATE_WINDOW_MS = 60_000;
const QUERY_TIMEOUT_MS = 5_000;
const SLOW_REQUEST_MS = 1_000;

// ---- log: pino's JSON lines, mixed with Nest's coloured text, as production writes them -------------------------

function write(line) {
  // Synchronous, so that a line stands in the file before the answer leaves and survives a kill.
  try {
    fs.writeSync(1, line + '\n');
  } catch {
    // A full or closed log must not take the API down.
  }
}

function pino(level, context, message, fields = {}) {
  write(JSON.stringify({ level, time: Date.now(), pid: process.pid, host: os.hostname(), context, message, ...fields }));
}

function nest(context, message) {
  const when = new Date().toLocaleString('en-US');
  write(`\x1b[32m[Nest] ${process.pid}  - \x1b[39m${when} \x1b[32m    LOG\x1b[39m \x1b[33m[${context}] \x1b[39m\x1b[32m${message}\x1b[39m`);
}

function prismaError(text) {
  write(`\x1b[31mprisma:error\x1b[39m \nInvalid \`prisma.$queryRaw()\` invocation:\n\n\n${text.trim()}`);
}

// ---- database ---------------------------------------------------------------------------------------------------

function connection() {
  // By environment variables: on psql's command line every user of the host could read the password.
  const url = new URL(process.env.DATABASE_URL || '');
  return {
    PATH: process.env.PATH,
    PGHOST: url.hostname,
    PGPORT: url.port || '5432',
    PGUSER: decodeURIComponent(url.username),
    PGPASSWORD: decodeURIComponent(url.password),
    PGDATABASE: decodeURIComponent(url.pathname.slice(1)),
    PGAPPNAME: 'mycats-api',
    PGCONNECT_TIMEOUT: '3',
    PGOPTIONS: '-c statement_timeout=4000',
    PGCLIENTENCODING: 'UTF8',
  };
}

class DatabaseError extends Error {}

function query(sql) {
  return new Promise((resolve, reject) => {
    let env;
    try {
      env = connection();
    } catch {
      reject(new DatabaseError('DATABASE_URL is not a valid URL'));
      return;
    }
    const args = ['-X', '-q', '-A', '-t', '-w', '-v', 'ON_ERROR_STOP=1', '-c', sql];
    const options = { env, timeout: QUERY_TIMEOUT_MS, killSignal: 'SIGKILL', maxBuffer: 16 * 1024 * 1024 };
    execFile(PSQL, args, options, (error, stdout, stderr) => {
      if (!error) {
        resolve(stdout.trim());
      } else if (error.killed) {
        reject(new DatabaseError(`no answer from the database within ${QUERY_TIMEOUT_MS} ms`));
      } else {
        reject(new DatabaseError(stderr.trim() || `psql could not be run (${error.code})`));
      }
    });
  });
}

async function list(table, columns, order, search) {
  const page = Math.max(1, Number.parseInt(search.get('page') || '1', 10) || 1);
  const limit = Math.min(100, Math.max(1, Number.parseInt(search.get('limit') || '20', 10) || 20));
  const text = await query(
    `SELECT json_build_object('total', (SELECT count(*) FROM ${table}), 'data', coalesce((SELECT json_agg(r) FROM ` +
      `(SELECT ${columns} FROM ${table} ORDER BY ${order} LIMIT ${limit} OFFSET ${(page - 1) * limit}) r), '[]'::json))`,
  );
  const { total, data } = JSON.parse(text);
  return { success: true, data, meta: { total, page, limit, totalPages: Math.ceil(total / limit) } };
}

// ---- login ------------------------------------------------------------------------------------------------------

const TOKEN_SECONDS = Number(process.env.JWT_EXPIRES_SECONDS || 900);

async function logIn(request) {
  let text = '';
  for await (const chunk of request) {
    text += chunk;
    if (text.length > 10_000) throw new HttpError(413, 'PAYLOAD_TOO_LARGE', 'Payload too large');
  }
  let given;
  try {
    given = JSON.parse(text);
  } catch {
    throw new HttpError(400, 'BAD_REQUEST', 'Unexpected end of JSON input');
  }
  // The account is looked up before its password is compared: no login without a database.
  const account = JSON.parse(await query("SELECT coalesce(json_agg(u), '[]') FROM (SELECT id, email, role FROM users ORDER BY id LIMIT 1) u"))[0];
  if (!account || given.email !== account.email || !process.env.LOGIN_PASSWORD || given.password !== process.env.LOGIN_PASSWORD) {
    throw new HttpError(401, 'UNAUTHORIZED', 'メールアドレスまたはパスワードが正しくありません');
  }
  if (!process.env.JWT_SECRET) throw new Error('secretOrPrivateKey must have a value');
  const now = Math.floor(Date.now() / 1000);
  const encoded = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claims = { sub: account.id, email: account.email, role: account.role, iat: now, exp: now + TOKEN_SECONDS };
  const signed = `${encoded({ alg: 'HS256', typ: 'JWT' })}.${encoded(claims)}`;
  const signature = crypto.createHmac('sha256', process.env.JWT_SECRET).update(signed).digest('base64url');
  pino('info', 'AuthService', 'login', { userId: account.id });
  return [200, { success: true, data: { access_token: `${signed}.${signature}`, user: account } }];
}

function authorised(request) {
  const token = /^Bearer ([\w-]+)\.([\w-]+)\.([\w-]+)$/.exec(request.headers.authorization || '');
  if (!token || !process.env.JWT_SECRET) return false;
  const expected = crypto.createHmac('sha256', process.env.JWT_SECRET).update(`${token[1]}.${token[2]}`).digest();
  const given = Buffer.from(token[3], 'base64url');
  if (given.length !== expected.length || !crypto.timingSafeEqual(given, expected)) return false;
  try {
    const header = JSON.parse(Buffer.from(token[1], 'base64url'));
    const payload = JSON.parse(Buffer.from(token[2], 'base64url'));
    return header.alg === 'HS256' && payload.exp * 1000 > Date.now();
  } catch {
    return false;
  }
}

// ---- rate limit: a window per route and client ------------------------------------------------------------------

const windows = new Map();

function throttle(route, client) {
  const key = `${route} ${client}`;
  const now = Date.now();
  let window = windows.get(key);
  if (!window || window.ends <= now) {
    window = { count: 0, ends: now + RATE_WINDOW_MS };
    windows.set(key, window);
  }
  window.count += 1;
  const seconds = Math.max(1, Math.ceil((window.ends - now) / 1000));
  return { exceeded: window.count > RATE_LIMIT, remaining: Math.max(0, RATE_LIMIT - window.count), seconds };
}

setInterval(() => {
  for (const [key, window] of windows) if (window.ends <= Date.now()) windows.delete(key);
}, RATE_WINDOW_MS).unref();

// ---- routes -----------------------------------------------------------------------------------------------------

class HttpError extends Error {
  constructor(status, code, message) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

async function health() {
  const memory = process.memoryUsage();
  const megabytes = (bytes) => Math.round((bytes / 1024 / 1024) * 100) / 100;
  const data = {
    status: 'ok',
    timestamp: new Date().toISOString(),
    service: 'Cat Management System API',
    version: '1.0.0',
    environment: process.env.NODE_ENV || 'development',
    uptime: process.uptime(),
    memory: { used: megabytes(memory.heapUsed), total: megabytes(memory.heapTotal) },
  };
  if (process.env.HEALTH_CHECK_DATABASE !== 'true') return [200, { success: true, data }];
  try {
    await query('SELECT 1');
    return [200, { success: true, data: { ...data, database: 'ok' } }];
  } catch {
    const down = { ...data, status: 'error', database: 'error', error: 'Database connection failed' };
    return [503, { success: false, data: down }];
  }
}

function guard(request) {
  if (!authorised(request)) throw new HttpError(401, 'UNAUTHORIZED', 'Unauthorized');
}

const routes = {
  '/health': async () => health(),
  '/api/v1/health': async () => [
    200,
    { success: true, data: { status: 'ok', timestamp: new Date().toISOString(), service: 'Cat Management System API' } },
  ],
  '/api/v1/pedigrees': async (request, search) => {
    guard(request);
    return [200, await list('pedigrees', 'id, pedigree_number, cat_name, title, issued_on, breed_id', 'pedigree_number', search)];
  },
  '/api/v1/cats': async (request, search) => {
    guard(request);
    return [200, await list('cats', 'id, name, gender, birth_date, breed_id, owner_id, is_in_house', 'id', search)];
  },
};

// The health route is registered before this: only its preflight gets here. With CORS_ERROR, an origin that is not on the
// list is an error of the request and logged like any other, as My Cats has it.
function cors(request, response) {
  const allowed = (process.env.CORS_ORIGIN || '').split(',').map((origin) => origin.trim()).filter(Boolean);
  const origin = request.headers.origin;
  if (allowed.includes('*')) {
    response.setHeader('Access-Control-Allow-Origin', '*');
  } else {
    response.setHeader('Vary', 'Origin');
    const known = origin && allowed.includes(origin);
    if (origin && !known && process.env.CORS_ERROR) throw new Error('Not allowed by CORS');
    if (known) response.setHeader('Access-Control-Allow-Origin', origin);
  }
  response.setHeader('Access-Control-Allow-Credentials', 'true');
}

function send(response, status, body) {
  const text = JSON.stringify(body);
  response.writeHead(status, {
    'Content-Type': 'application/json; charset=utf-8',
    'Content-Length': Buffer.byteLength(text),
  });
  response.end(text);
}

async function answer(request, response) {
  const started = process.hrtime.bigint();
  const url = new URL(request.url, 'http://api.invalid');
  const silent = url.pathname === '/health';
  const id = crypto.randomUUID();
  if (!silent) response.setHeader('X-Request-Id', id);

  let status;
  let body;
  try {
    if (!silent || request.method === 'OPTIONS') cors(request, response);
    if (request.method === 'OPTIONS') {
      response.setHeader('Access-Control-Allow-Methods', 'GET,HEAD,PUT,PATCH,POST,DELETE');
      response.setHeader('Access-Control-Allow-Headers', 'Content-Type,Authorization');
      response.writeHead(204, { 'Content-Length': '0' });
      response.end();
      return;
    }
    const login = url.pathname === '/api/v1/auth/login' && request.method === 'POST';
    const handler = login ? logIn : Object.hasOwn(routes, url.pathname) ? routes[url.pathname] : undefined;
    if (!handler || (!login && !['GET', 'HEAD'].includes(request.method))) {
      throw new HttpError(404, 'NOT_FOUND', `Cannot ${request.method} ${url.pathname}`);
    }
    const budget = throttle(url.pathname, request.socket.remoteAddress);
    response.setHeader('X-RateLimit-Limit', RATE_LIMIT);
    response.setHeader('X-RateLimit-Remaining', budget.remaining);
    response.setHeader('X-RateLimit-Reset', budget.seconds);
    if (budget.exceeded) {
      response.setHeader('Retry-After', budget.seconds);
      throw new HttpError(429, 'TOO_MANY_REQUESTS', 'ThrottlerException: Too Many Requests');
    }
    [status, body] = await handler(request, url.searchParams);
  } catch (error) {
    const known = error instanceof HttpError;
    status = known ? error.status : 500;
    const code = known ? error.code : 'INTERNAL_SERVER_ERROR';
    const message = known ? error.message : 'Internal server error';
    const where = { path: request.url, method: request.method };
    body = { success: false, error: { statusCode: status, code, message, timestamp: new Date().toISOString(), ...where } };
    if (!known) {
      if (error instanceof DatabaseError) prismaError(error.message);
      pino('error', 'GlobalExceptionFilter', message, { code, statusCode: status, requestId: id, ...where });
    } else if (status !== 404) {
      pino('warn', 'GlobalExceptionFilter', message, { code, statusCode: status, requestId: id, ...where });
    }
  }
  send(response, status, body);
  if (silent) return;
  const duration = Math.round(Number(process.hrtime.bigint() - started) / 1e6);
  const fields = { requestId: id, method: request.method, path: url.pathname, statusCode: status, duration };
  if (duration > SLOW_REQUEST_MS) pino('error', 'PerformanceMonitor', 'Slow request', fields);
  else pino('info', 'HTTP', 'request completed', fields);
}

const server = http.createServer((request, response) => {
  answer(request, response).catch(() => response.destroy());
});

server.on('error', (error) => {
  pino('fatal', 'Bootstrap', `cannot listen on ${HOST}:${PORT}: ${error.code}`);
  process.exit(1);
});

nest('NestFactory', 'Starting Nest application...');
server.listen(PORT, HOST, () => {
  nest('NestApplication', 'Nest application successfully started');
  pino('info', 'Bootstrap', `Application is running on: http://${HOST}:${PORT}`, { environment: process.env.NODE_ENV });
});

for (const signal of ['SIGTERM', 'SIGINT']) {
  process.on(signal, () => {
    pino('info', 'Bootstrap', `${signal} received, shutting down`);
    server.close(() => process.exit(0));
    server.closeAllConnections();
  });
}
