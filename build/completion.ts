// What the shells complete, from the tables that the program itself goes by.

import { ACTIONS } from '../src/cli/parse.ts';
import { FLAGS } from '../src/cli/words.ts';
import { OPTIONS, type Option, type OptionName } from '../src/config/options.ts';

type Kind = 'file' | 'user' | 'group';

/** What a value of an option names; of all others nothing can be said beforehand. */
const NAMED: Readonly<Partial<Record<OptionName, Kind>>> = {
  script: 'file',
  config: 'file',
  pidfile_template: 'file',
  logfile_template: 'file',
  supervisor_python: 'file',
  supervisor_user: 'user',
  supervisor_group: 'group',
};

/** The name that is offered: the shorter one, if there are two. */
function offered({ name, alias }: Option): string {
  return `--${alias ?? name}`;
}

/** As a pattern of the shell: all names that the values of these options may follow. */
function pattern(options: readonly Option[]): string {
  const names = options.flatMap(({ name, alias }) => (alias === undefined ? [name] : [alias, name]));
  return names.map((name) => `--${name}`).join(' | ');
}

/** For bash-completion(1), which loads it by the name of its file. */
export function makeBashCompletion(): string {
  const withValue = OPTIONS.filter(({ type }) => type !== 'bool');
  const offers = [
    ...withValue.map((option) => `${offered(option)}=`),
    ...OPTIONS.filter(({ type }) => type === 'bool').map(offered),
    ...FLAGS.map(([name]) => `--${name}`),
    '--help',
    '--version',
  ];
  const naming = (kind: Kind | undefined) => pattern(withValue.filter(({ name }) => NAMED[name] === kind));
  return `# bash completion of frontik-supervisor(8), made by build/completion.ts
_frontik_supervisor() {
  # shellcheck disable=SC2034 # _init_completion sets all of them
  local cur prev words cword split
  _init_completion -s || return
  case $prev in
    ${naming('file')})
      _filedir
      return ;;
    ${naming('user')})
      mapfile -t COMPREPLY < <(compgen -u -- "$cur")
      return ;;
    ${naming('group')})
      mapfile -t COMPREPLY < <(compgen -g -- "$cur")
      return ;;
    ${naming(undefined)})
      return ;;
  esac
  $split && return
  case $cur in
    -*)
      mapfile -t COMPREPLY < <(compgen -W '${offers.join(' ')}' -- "$cur")
      [[ \${COMPREPLY-} == *= ]] && compopt -o nospace ;;
    */*)
      _filedir ;;
    *)
      mapfile -t COMPREPLY < <(compgen -W '${ACTIONS.map(([name]) => name).join(' ')}' -- "$cur") ;;
  esac
} && complete -F _frontik_supervisor frontik-supervisor
`;
}

const ZSH_ACTIONS: Readonly<Record<Kind, string>> = { file: '_files', user: '_users', group: '_groups' };

/** For zshcompsys(1), which finds it by the name of its file and its first line. */
export function makeZshCompletion(): string {
  const flags = FLAGS.map(([name, , help]) => zshQuoted(`--${name}[${zshEscaped(help)}]`));
  const lines = [
    ...OPTIONS.map(zshOption),
    ...flags,
    `'(- *)'{-h,--help}'[show the options and actions]'`,
    `'(- *)'{-V,--version}'[show the version]'`,
    `'*:action:_frontik_supervisor_words'`,
  ];
  const actions = ACTIONS.map(([name, help]) => zshQuoted(`${name}:${help}`));
  return `#compdef frontik-supervisor
# zsh completion of frontik-supervisor(8), made by build/completion.ts
_frontik_supervisor_words() {
  local -a actions=(
    ${actions.join('\n    ')}
  )
  # A launcher is a path; a word without a slash is an action.
  if [[ $PREFIX == */* ]]; then
    _files
  else
    _describe -t actions action actions
  fi
}

_arguments -S \\
  ${lines.join(' \\\n  ')}
`;
}

function zshOption(option: Option): string {
  const help = `[${zshEscaped(option.help)}]`;
  if (option.type === 'bool') return zshQuoted(`${offered(option)}${help}`);
  const kind = NAMED[option.name];
  return zshQuoted(`${offered(option)}=${help}:${option.type}:${kind === undefined ? ' ' : ZSH_ACTIONS[kind]}`);
}

function zshEscaped(help: string): string {
  return help.replaceAll(/[[\]:\\]/g, '\\$&');
}

function zshQuoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
