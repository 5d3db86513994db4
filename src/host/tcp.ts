// A TCP connection to a port of this machine, without node:net: loading that and its streams costs a fifth of a whole
// `status`. The only file that knows Node's inner bindings; the Node they belong to is part of the binary (pinned exactly),
// and test/integration/http-probe.test.ts tries them in every way a peer can behave.

import type { Unaskable } from '../core/worker.ts';

interface Handle {
  onread: (bytes: ArrayBuffer | undefined) => void;
  connect(request: ConnectRequest, address: string, port: number): number;
  readStart(): number;
  writeLatin1String(request: WriteRequest, text: string): number;
  close(): void;
}
interface ConnectRequest {
  oncomplete: (status: number) => void;
}
interface WriteRequest {
  oncomplete: () => void;
}
interface TcpBinding {
  readonly TCP: new (kind: number) => Handle;
  readonly TCPConnectWrap: new () => ConnectRequest;
  readonly constants: { readonly SOCKET: number };
}
interface StreamBinding {
  readonly WriteWrap: new () => WriteRequest;
  readonly streamBaseState: ArrayLike<number>;
  readonly kReadBytesOrError: number;
}
type Binding = { (name: 'tcp_wrap'): TcpBinding; (name: 'stream_wrap'): StreamBinding };

// libuv hands errno back with its sign turned: errno(3).
const ECONNREFUSED = -111;

/** What a connection tells. After `onEnd`, or after it was closed, it is silent. */
export interface Conversation {
  /** Part of what the peer says, one character a byte. */
  readonly onText: (text: string) => void;
  /** The peer has ended it, or it failed; or nobody listens; or this machine has not even tried. */
  readonly onEnd: (why: 'over' | 'refused' | Unaskable) => void;
}

/** Connects to 127.0.0.1, says `words` (nothing, if there are none), and listens. The result closes the connection. */
export function converse(port: number, words: string, { onText, onEnd }: Conversation): () => void {
  const binding = (process as unknown as { binding: Binding }).binding;
  const { TCP, TCPConnectWrap, constants } = binding('tcp_wrap');
  const { WriteWrap, streamBaseState, kReadBytesOrError } = binding('stream_wrap');
  const handle = new TCP(constants.SOCKET);
  let isOpen = true;
  const close = (): void => {
    if (isOpen) handle.close();
    isOpen = false;
  };
  const end = (why: 'over' | 'refused' | Unaskable): void => {
    // A closed handle still completes its request, as cancelled.
    if (!isOpen) return;
    close();
    onEnd(why);
  };
  handle.onread = (bytes) => {
    const length = streamBaseState[kReadBytesOrError] ?? 0;
    if (!isOpen || length === 0) return;
    if (length < 0 || bytes === undefined) end('over');
    else onText(Buffer.from(bytes, 0, length).toString('latin1'));
  };
  const request = new TCPConnectWrap();
  request.oncomplete = (status) => {
    if (status < 0 || !isOpen) return end(status === ECONNREFUSED ? 'refused' : 'over');
    const write = new WriteWrap();
    write.oncomplete = () => undefined;
    const failed = handle.readStart() || (words === '' ? 0 : handle.writeLatin1String(write, words));
    if (failed !== 0) end('over');
  };
  const failed = handle.connect(request, '127.0.0.1', port);
  // Told later, like everything else: nobody expects an answer before the question is out.
  if (failed !== 0) {
    // Loaded here, since it is hardly ever needed.
    const { getSystemErrorName } = process.getBuiltinModule('node:util');
    setImmediate(() => end({ unaskable: getSystemErrorName(failed) }));
  }
  return close;
}
