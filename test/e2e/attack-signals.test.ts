import assert from 'node:assert/strict';
import { test } from 'node:test';
import { onStage, python } from '../support/e2e.ts';

/** Runs a command as a careless caller does: with every signal blocked, and every one ignored that can be. */
const DEAF = [
  'import os, signal, sys',
  'signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())',
  'for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}: signal.signal(number, signal.SIG_IGN)',
  'os.execv(sys.argv[1], sys.argv[1:])',
].join('\n');

test(
  'a caller that blocks and ignores all signals holds up no action, and his workers know nothing of it',
  onStage({ workers: 2, config: { daemonize: false } }, async (stage) => {
    const under = [python, '-IS', '-c', DEAF];
    const started = '[T] start worker P0\n[T] start worker P1\n[T] all workers are running\nexit 0';
    await stage.expect('start', started, { under });
    const { status } = await stage.born(0);
    assert.equal(Number.parseInt(status['SigBlk'] ?? '', 16), 0, 'blocked');
    // Standard signals; Python itself ignores SIGPIPE and SIGXFSZ.
    assert.equal(BigInt(`0x${status['SigIgn']}`) & 0x7eff_efffn, 0n, 'ignored');
    await stage.expect('status', '[T] all workers are running\nexit 0', { under });
    assert.equal((await stage.run('restart', { under })).code, 0);
    assert.equal((await stage.run('reload', { under })).code, 0);
    assert.equal((await stage.run('stop', { under })).code, 0);
    stage.assertNobody();
  }),
);
