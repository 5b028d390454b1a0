# Completion of `demi` for bash. What a command takes it says itself: demi COMMAND --help.
#
# SPDX-License-Identifier: MIT

_demi()
{
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} demi=${COMP_WORDS[0]}
	local command=${COMP_WORDS[1]}

	COMPREPLY=()
	if ((COMP_CWORD == 1)) || { [[ $command == help ]] && ((COMP_CWORD == 2)); }; then
		local commands
		commands=$("$demi" --help 2>/dev/null | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p')
		((COMP_CWORD == 1)) && commands+=" help --help --version"
		mapfile -t COMPREPLY < <(compgen -W "$commands" -- "$word")
		return
	fi
	case $before in
	--libos)
		mapfile -t COMPREPLY < <(compgen -W "catnap catcollar catpowder catnip" -- "$word")
		return
		;;
	--hdr)
		mapfile -t COMPREPLY < <(compgen -d -- "$word")
		return
		;;
	--plot | --pcap)
		mapfile -t COMPREPLY < <(compgen -f -- "$word")
		return
		;;
	--messages | --size)
		return
		;;
	esac
	if [[ $word == -* ]]; then
		local options
		options=$("$demi" "$command" --help 2>/dev/null | grep -oE -- '--[a-z][a-z-]*' | sort -u)
		mapfile -t COMPREPLY < <(compgen -W "$options --help" -- "$word")
	elif [[ $command == pkt ]]; then
		mapfile -t COMPREPLY < <(compgen -f -X '!*.pkt' -- "$word"; compgen -d -- "$word")
	fi
}

complete -o filenames -F _demi demi
