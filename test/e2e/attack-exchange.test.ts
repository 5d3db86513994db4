import assert from 'node:assert/strict';
import { chownSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { nobody, python, whyNotAnotherUser } from '../support/e2e.ts';
import { until } from '../support/e2e-command.ts';
import { assertCivil, ordeal, snapshot } from '../support/e2e-ordeal.ts';
import { isAlive, signal } from '../support/e2e-processes.ts';

/**
 * As the service user: exchanges his directories with links to root's (renameat2(2), RENAME_EXCHANGE: at no moment is a name
 * missing), and puts links and another process's number in the place of his files; counts what it has done.
 */
const EXCHANGER = `
import ctypes, os, random, sys, time
base, victim, *ports = sys.argv[1:]
libc = ctypes.CDLL(None)
pairs = [(base + '/' + name, base + '/' + name + '.other') for name in ('run', 'log')]
for name, other in pairs:
    os.symlink(base + '/etc', other)
files = [base + name % port for port in ports for name in ('/run/app.%s.pid', '/log/app.%s.log')]
end = time.monotonic() + 60
done = 0
while time.monotonic() < end:
    name, other = random.choice(pairs)
    libc.syscall(316, -100, name.encode(), -100, other.encode(), 2)
    try:
        path = random.choice(files)
        new = base + '/new'
        if random.random() < 0.5:
            os.symlink(base + '/etc/precious', new)
        else:
            with open(new, 'w') as file:
                file.write(victim)
        os.rename(new, path)
        if random.random() < 0.3:
            os.unlink(path)
    except OSError:
        pass
    done += 1
    if done % 100 == 0:
        with open(base + '/done.new', 'w') as file:
            file.write(str(done))
        os.rename(base + '/done.new', base + '/done')
        time.sleep(0.001)
`;

ordeal(
  'a service user who exchanges his directories for links to root`s while root works gets nothing killed, made, changed or removed',
  () => whyNotAnotherUser() ?? (process.arch === 'x64' ? undefined : 'the number of renameat2 is that of x86-64'),
  {
    owner: nobody,
    workers: 2,
    config: { supervisor_user: 'nobody', supervisor_start_timeout: 2, daemonize: false },
  },
  async (stage) => {
    const victim = await stage.stranger();
    const ports = [stage.port(0), stage.port(1)];
    chownSync(stage.directory('etc'), 0, 0);
    // Of one worker there is something to overwrite and to remove, for the other one something could be made.
    for (const name of ['precious', `app.${ports[0]}.pid`, `app.${ports[0]}.log`])
      stage.write(`etc/${name}`, `${victim.pid}\n`);
    for (const name of ['run', 'log']) chownSync(stage.directory(name), nobody, nobody);
    const before = snapshot(stage.path('etc'));
    const program = stage.write('exchanger', EXCHANGER);
    const exchanger = await stage.stranger(
      [python, '-IS', program, stage.dir, String(victim.pid), ...ports.map(String)],
      {
        uid: nobody,
      },
    );
    const count = (): number => (existsSync(stage.path('done')) ? Number(readFileSync(stage.path('done'), 'utf8')) : 0);
    await until(() => assert(count() > 0));
    const first = count();
    for (const action of ['start', 'status', 'restart', 'stop', 'start', 'restart', 'stop']) {
      assertCivil(await stage.run(action));
      assert.deepEqual(snapshot(stage.path('etc')), before, action);
      assert(isAlive(victim), action);
    }
    assert(count() > first, 'it was at work meanwhile');
    signal(exchanger, 'SIGKILL');
    await until(() => assert(!isAlive(exchanger)));
    writeFileSync(stage.path('done'), '');
    assert.equal((await stage.run('stop')).code, 0);
    assert.deepEqual(snapshot(stage.path('etc')), before);
    assert(isAlive(victim));
    stage.assertNobody();
  },
);
