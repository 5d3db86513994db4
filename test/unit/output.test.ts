import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Descriptors, writeText } from '../../src/host/output.ts';

/** A descriptor that answers each write by the next of the answers: a count of bytes, or an errno. */
function puppet(answers: readonly (number | string)[]) {
  const seen = { text: '', fds: [] as number[], pauses: 0 };
  let at = 0;
  const descriptors: Descriptors = {
    write: (fd, bytes, offset) => {
      const answer = answers[at] ?? bytes.length - offset;
      at += 1;
      seen.fds.push(fd);
      if (typeof answer === 'string') throw Object.assign(new Error(answer), { code: answer, syscall: 'write' });
      seen.text += new TextDecoder().decode(bytes.subarray(offset, offset + answer));
      return answer;
    },
    pause: () => {
      seen.pauses += 1;
    },
  };
  return { seen, descriptors };
}

test('text goes to its descriptor in one write', () => {
  const { seen, descriptors } = puppet([]);
  writeText(1, 'all workers are running\n', descriptors);
  assert.deepEqual(seen, { text: 'all workers are running\n', fds: [1], pauses: 0 });
});

test('no text, no write', () => {
  const { seen, descriptors } = puppet([]);
  writeText(2, '', descriptors);
  assert.deepEqual(seen.fds, []);
});

test('a short write is continued where it ended', () => {
  const { seen, descriptors } = puppet([3, 1]);
  writeText(2, 'abcdefg', descriptors);
  assert.deepEqual(seen, { text: 'abcdefg', fds: [2, 2, 2], pauses: 0 });
});

test('a full pipe is waited for, and nothing is written twice', () => {
  const { seen, descriptors } = puppet(['EAGAIN', 2, 'EAGAIN', 'EINTR', 'EAGAIN']);
  const lost = writeText(2, 'abcd', descriptors);
  assert.deepEqual([seen.text, seen.pauses, lost], ['abcd', 3, undefined]);
});

test('a pipe that stays full is given up, after a bounded number of pauses', () => {
  const { seen, descriptors } = puppet(Array.from({ length: 10_000 }, () => 'EAGAIN'));
  const lost = writeText(2, 'abcd', descriptors);
  assert.deepEqual([seen.text, seen.pauses, lost], ['', 400, 'EAGAIN']);
});

for (const code of ['EPIPE', 'EIO', 'EBADF', 'ENOSPC', 'EFBIG', 'EDQUOT', 'ECONNRESET', 'ENOTCONN']) {
  test(`${code} loses the text and nothing else, and is told`, () => {
    const { seen, descriptors } = puppet([2, code]);
    const lost = writeText(1, 'abcd', descriptors);
    assert.deepEqual([seen.text, seen.fds, lost], ['ab', [1, 1], code]);
  });
}

test('any other error is a bug and is not hidden', () => {
  const { descriptors } = puppet([]);
  const broken: Descriptors = {
    ...descriptors,
    write: () => {
      throw new TypeError('a bug');
    },
  };
  assert.throws(() => writeText(1, 'abcd', broken), new TypeError('a bug'));
});
