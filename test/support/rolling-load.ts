// A program: requests at a steady rate until its stdin ends, every outcome counted. In a process of its own, so that
// nothing the test does delays a request. usage: node rolling-load.ts PLAN; writes `serving` and, at the end, a tally.

import { randomInt } from 'node:crypto';
import { Agent, request } from 'node:http';
import type { LoadPlan, Tally } from './rolling-tally.ts';

/** ms until an answer counts as lost. An idle connection is given up as early: no proxy closes it before. */
const PATIENCE = 10_000;
const TICK = 5;

const plan = JSON.parse(process.argv[2] ?? '') as LoadPlan;
const agent = plan.keepAlive ? new Agent({ keepAlive: true, timeout: PATIENCE }) : new Agent({ timeout: PATIENCE });
const outcomes: Record<string, number> = {};
const failedPosts: string[] = [];
const delays: number[] = [];
const began = performance.now();
let lastGood = began;
let longestGap = 0;
let sent = 0;
let underWay = 0;
let isOver = false;

function note(method: 'GET' | 'POST', token: string, outcome: string): void {
  underWay -= 1;
  outcomes[`${method} ${outcome}`] = (outcomes[`${method} ${outcome}`] ?? 0) + 1;
  if (outcome === 'ok') {
    const now = performance.now();
    longestGap = Math.max(longestGap, now - lastGood);
    lastGood = now;
    if (delays.length === 1) process.stdout.write('serving\n');
  } else if (method === 'POST') {
    failedPosts.push(token);
  }
  if (isOver && underWay === 0) finish();
}

function send(): void {
  const token = `${process.pid}-${sent}`;
  const method = Math.random() < plan.posts ? 'POST' : 'GET';
  const wait = randomInt(plan.longestWait + 1);
  const at = performance.now();
  sent += 1;
  underWay += 1;
  let isTold = false;
  const tell = (outcome: string): void => {
    if (isTold) return;
    isTold = true;
    if (outcome === 'ok') delays.push(performance.now() - at - wait);
    note(method, token, outcome);
  };
  const asked = request(
    { host: '127.0.0.1', port: plan.port, method, path: `/wait/${wait}?token=${token}`, agent, timeout: PATIENCE },
    (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => {
        body += text;
      });
      response.on('error', (error) => tell(reason(error)));
      response.on('end', () => {
        if (response.statusCode === 200) tell(body.split(' ')[1] === token ? 'ok' : 'wrong body');
        else tell(String(response.statusCode));
      });
    },
  );
  asked.on('timeout', () => {
    tell('timeout');
    asked.destroy();
  });
  asked.on('error', (error) => tell(reason(error)));
  asked.end(method === 'POST' ? token : undefined);
}

function reason(error: Error): string {
  return 'code' in error ? String(error.code) : error.message;
}

// What is due by the clock is sent: a tick that comes late sends more, so that the rate holds.
const ticking = setInterval(() => {
  const due = ((performance.now() - began) / 1000) * plan.rate;
  while (sent < due) send();
}, TICK);

function stop(): void {
  if (isOver) return;
  isOver = true;
  clearInterval(ticking);
  if (underWay === 0) finish();
}

function finish(): void {
  const sorted = delays.toSorted((a, b) => a - b);
  const tally: Tally = {
    outcomes,
    longestGap: Math.round(Math.max(longestGap, performance.now() - lastGood)),
    longestDelay: Math.round(sorted.at(-1) ?? 0),
    delay99: Math.round(sorted[Math.floor(sorted.length * 0.99)] ?? 0),
    seconds: (performance.now() - began) / 1000,
    failedPosts,
  };
  process.stdout.write(`${JSON.stringify(tally)}\n`, () => process.exit(0));
}

process.stdin.on('end', stop).resume();
setTimeout(stop, plan.limit * 1000);
