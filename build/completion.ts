// What the shells complete, from the tables that the program itself goes by.

import { ACTIONS } from '../src/cli/parse.ts';
import { FLAGS } from '../src/cli/words.ts';
import { PROXIES } from '../src/config/export.ts';
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

const WITH_VALUE = OPTIONS.filter(({ type }) => type !== 'bool');

/** The names that the next word may be a value of, without dashes. */
const BEFORE_VALUE = WITH_VALUE.flatMap(({ name, alias }) => (alias === undefined ? [name] : [alias, name])).join(' ');

/** Prints the paths of the init scripts that `install` has written: the mark is a line of its own in each. */
const FIND_INSTALLED = "grep -lsx '# written by frontik-supervisor install' /etc/init.d/*";

/**
 * Finds, in either shell, the action and the word behind it among the words before the one that is completed; that one is at
 * `current`, and `at` is beyond it in the end if it is an option's value.
 */
function findAction(first: number, current: string): string {
  return `local at word action='' operand='' valued=' ${BEFORE_VALUE} '
  for ((at = ${first}; at < ${current}; at++)); do
    word=\${words[at]}
    case $word in
      -*=*) ;;
      -*)
        word=\${word#-}
        word=\${word#-}
        [[ $valued != *" \${word//-/_} "* ]] || ((at += 1)) ;;
      *)
        if [[ -n $action ]]; then
          operand=$word
        elif [[ $word != */* ]]; then
          action=$word
        fi ;;
    esac
  done`;
}

/** For bash-completion(1), which loads it by the name of its file. */
export function makeBashCompletion(): string {
  const offers = [
    ...WITH_VALUE.map((option) => `${offered(option)}=`),
    ...OPTIONS.filter(({ type }) => type === 'bool').map(offered),
    ...FLAGS.map(([name]) => `--${name}`),
    '--help',
    '--version',
  ];
  const longNames = WITH_VALUE.filter(({ name }) => name.startsWith('su')).map(({ name }) => `--${name}=`);
  const naming = (kind: Kind | undefined) => pattern(WITH_VALUE.filter(({ name }) => NAMED[name] === kind));
  return `# bash completion of frontik-supervisor(8), made by build/completion.ts
_frontik_supervisor_words() {
  ${findAction(1, 'cword')}
  ((at > cword)) && return
  case $action:$operand in
    :)
      # A launcher is a path; a word without a slash is an action.
      if [[ $cur == */* ]]; then
        _filedir
      else
        mapfile -t COMPREPLY < <(compgen -W '${ACTIONS.map(([name]) => name).join(' ')}' -- "$cur")
      fi ;;
    export:)
      mapfile -t COMPREPLY < <(compgen -W '${PROXIES.join(' ')}' -- "$cur") ;;
    install: | uninstall:)
      mapfile -t COMPREPLY < <(compgen -W "$(${FIND_INSTALLED} | sed 's|.*/||')" -- "$cur") ;;
  esac
}

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
    --su*)
      mapfile -t COMPREPLY < <(compgen -W '${longNames.join(' ')}' -- "$cur")
      compopt -o nospace ;;
    -*)
      mapfile -t COMPREPLY < <(compgen -W '${offers.join(' ')}' -- "$cur")
      [[ \${COMPREPLY-} == *= ]] && compopt -o nospace ;;
    *)
      _frontik_supervisor_words ;;
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
  ${findAction(2, 'CURRENT')}
  case $action:$operand in
    :)
      # A launcher is a path; a word without a slash is an action.
      if [[ $PREFIX == */* ]]; then
        _files
      else
        _describe -t actions action actions
      fi ;;
    export:)
      _wanted proxies expl proxy compadd ${PROXIES.join(' ')} ;;
    install: | uninstall:)
      _wanted scripts expl 'init script' compadd -- \${\${(f)"$(${FIND_INSTALLED})"}:t} ;;
    *)
      _message 'no more words' ;;
  esac
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
