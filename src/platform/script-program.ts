/**
 * The program that forks for a holder, in Perl: its fork copies the page tables of 4 MB, not of 70, it makes a session without a
 * program of its own for that (setsid), and it is the script's parent without being executed anew for each.
 *
 * The program has keepers: forks of itself, each in a session of its own. A keeper runs one script at a time, whose records it
 * writes into the script's folder (node/holder/batch-spool.ts): `pid` before the script starts, `exit` when it is over (and `wrapper.err`
 * before, if a signal ended it), whoever else has died by then. Then it takes the next order. What is a script's own (mask, variables,
 * streams, session, work folder) is set in the script's process alone, or taken back.
 *
 * Orders come on standard input: a length of 4 bytes (big-endian), then fields that end in zero bytes. The first is the keeper's
 * number, a new one for a new keeper; the others are for the keeper, see `orderOf` in script-order.ts. A number alone ends its
 * keeper. Lines go to standard output, each in one write:
 *
 *   r                                  ready
 *   k KEEPER PID STARTTICKS            a keeper is there; it has not looked at an order yet
 *   s ID                               a script's keeper has said in the script's folder who it is, and starts it
 *   e ID CODE SIGNAL USER SYSTEM PAGES the script is over, and that is on record; times in microseconds
 *   x ID WHY                           nothing was started
 *   l KEEPER ID                        a keeper is gone (or never came), and ID the last order that was for it
 *
 * Orders of a holder that is gone are not followed: descriptor 3 is a stream that ends with it. Nor does a keeper follow one when the
 * program is gone. Then each ends as soon as it has no script.
 */

import { constants as fsConstants } from "node:fs";
import { constants as osConstants } from "node:os";

/** System calls that Perl has only with its POSIX module, which makes each fork dearer: numbers by Node's names of machines. */
const SYSTEM_CALLS: Readonly<Record<string, { setsid: number; wait4: number; dup3: number; exit_group: number }>> = {
  x64: { setsid: 112, wait4: 61, dup3: 292, exit_group: 231 },
  arm64: { setsid: 157, wait4: 260, dup3: 24, exit_group: 94 },
  riscv64: { setsid: 157, wait4: 260, dup3: 24, exit_group: 94 },
  ppc64: { setsid: 66, wait4: 114, dup3: 316, exit_group: 234 },
  s390x: { setsid: 66, wait4: 114, dup3: 326, exit_group: 248 },
};

/** The program's text for a machine of this kind; `null` where there is none. */
export function scriptProgram(machine: string): string | null {
  const calls = SYSTEM_CALLS[machine];
  if (calls === undefined) return null;
  const { O_RDONLY, O_WRONLY, O_APPEND, O_CREAT, O_NOFOLLOW, O_NOCTTY, O_NONBLOCK } = fsConstants;
  const { EINTR, ENOENT } = osConstants.errno;
  const numbers = {
    ...{ SETSID: calls.setsid, WAIT4: calls.wait4, DUP3: calls.dup3, EXIT: calls.exit_group, EINTR, ENOENT },
    ...{ READ: O_RDONLY | O_NOCTTY | O_NONBLOCK, APPEND: O_WRONLY | O_APPEND | O_NOCTTY | O_NONBLOCK },
    PUT: O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK,
  };
  const lines = Object.entries(numbers).map(([name, value]) => `sub ${name} () { ${value} }`);
  return [...lines, PROGRAM].join("\n");
}

const PROGRAM = String.raw`
use strict;
$SIG{PIPE} = 'IGNORE';
open(my $say, '>&', \*STDOUT) or exit 1;
open(my $life, '<&', 3) && open(my $third, '<&=', 3) or exit 1;
close $third;
my ($holder, $main) = (getppid(), $$);
# By number and by pid; those that ended before their pid was noted; the highest number so far.
my (%keepers, %pids, %early);
my $last = 0;
sub say_line { 1 until defined syswrite($say, join(' ', @_) . "\n") || $! != EINTR }
sub leave { syscall(EXIT, $_[0]) }
sub ended {
  my ($pid) = @_;
  my $one = delete $pids{$pid};
  delete $keepers{$one->{number}};
  say_line('l', $one->{number}, $one->{id});
}
$SIG{CHLD} = sub {
  local ($!, $?);
  while ((my $pid = waitpid(-1, 1)) > 0) { if ($pids{$pid}) { ended($pid) } else { $early{$pid} = 1 } }
};
# A record, in place of blanks if the folder was used before: so long that nothing is left of those.
sub put {
  my ($path, $text) = @_;
  sysopen(my $file, $path, PUT, 0600) or return 0;
  $text .= ' ' x (64 - length $text);
  return (syswrite($file, $text) // -1) == length $text && close $file;
}
sub put_all {
  my ($file, $text) = @_;
  for (my $at = 0; $at < length $text;) {
    my $put = syswrite($file, $text, length($text) - $at, $at);
    if (defined $put) { $at += $put } elsif ($! != EINTR) { return 0 }
  }
  return 1;
}
# The next whole order of a stream, without its length; nothing at the stream's end.
sub next_order {
  my ($from, $text) = @_;
  while (1) {
    if (length $$text >= 4) {
      my $bytes = unpack('N', $$text);
      if (length $$text >= 4 + $bytes) {
        my $order = substr($$text, 4, $bytes);
        substr($$text, 0, 4 + $bytes, '');
        return $order;
      }
    }
    my $got = sysread($from, $$text, 65536, length $$text);
    return undef if defined $got ? $got == 0 : $! != EINTR;
  }
}
sub start_ticks {
  open(my $file, '<', '/proc/self/stat') or return 0;
  my $line = <$file>;
  # From field 3 on: the name before may hold anything.
  return (split(/ /, substr($line, rindex($line, ')') + 2)))[19];
}
# A stream: a file that must still be the one that the holder opened, or another stream by its number.
sub stream {
  my ($files, $at, $path, $dev, $ino) = @_;
  if ($path eq '') { $files->[$at] = $files->[$dev]; return 1 }
  sysopen(my $file, $path, $at ? APPEND : READ) or return 0;
  my @facts = stat $file;
  $files->[$at] = $file;
  return $facts[0] == $dev && $facts[1] == $ino;
}
# In the script's process. Variables: those of the keeper less some, and some more.
sub become {
  my ($files, $umask, $argc, @rest) = @_;
  $SIG{PIPE} = 'DEFAULT';
  syscall(SETSID);
  for (0 .. 2) { leave(126) if syscall(DUP3, fileno $files->[$_], $_ + 0, 0) < 0 }
  umask oct $umask if $umask ne '';
  my @argv = splice(@rest, 0, $argc);
  my $less = shift @rest;
  delete @ENV{splice(@rest, 0, $less)};
  set_variables(@rest);
  $ENV{SLURM_TASK_PID} = $$;
  no warnings;
  exec { $argv[0] } @argv;
  my $code = $! == ENOENT ? 127 : 126;
  syswrite(STDERR, "slurmstepd: error: execve(): $argv[0]: $!\n");
  leave($code);
}
sub set_variables { for (@_) { my $at = index($_, '='); $ENV{substr($_, 0, $at)} = substr($_, $at + 1) } }
sub is_alone {
  vec(my $bits = '', fileno $life, 1) = 1;
  return getppid() != $main || select($bits, undef, undef, 0);
}
# One script, from its order to its end; false if the keeper is to end as well.
sub keep {
  my ($ticks, $id, $bases, @rest) = @_;
  if ($bases ne '') { %ENV = (); set_variables(splice(@rest, 0, $bases)) }
  my ($folder, $work) = splice(@rest, 0, 2);
  my $refuse = sub { say_line('x', $id, @_); 1 };
  chdir $work or return $refuse->("chdir $!");
  my @files;
  stream(\@files, $_, splice(@rest, 0, 3)) or return $refuse->("stream $_ $!") for 0 .. 2;
  if (is_alone()) { $refuse->('alone'); return 0 }
  put("$folder/pid", "{\"pid\":$$,\"startTicks\":$ticks}\n") or return $refuse->("pid $!");
  my $child = fork;
  if (!defined $child) { unlink "$folder/pid"; return $refuse->("fork $!") }
  become(\@files, @rest) if $child == 0;
  @files = ();
  say_line('s', $id);
  my ($status, $usage) = ("\0" x 16, "\0" x 512);
  1 until syscall(WAIT4, $child, $status, 0, $usage) == $child;
  $status = unpack('i', $status);
  my ($signal, $code) = ($status & 127, $status >> 8 & 255);
  my $is_kept = !$signal || put("$folder/wrapper.err", "signal $signal\n");
  $is_kept &&= put("$folder/exit", ($signal ? 128 + $signal : $code) . "\n");
  my @used = unpack('l!10', $usage);
  say_line('e', $id, $code, $signal, $used[0] * 1e6 + $used[1], $used[2] * 1e6 + $used[3], $used[9]);
  # Who looks for the record takes it for lost only once its keeper is gone.
  return $is_kept;
}
sub keeper {
  my ($number, $in) = @_;
  $SIG{CHLD} = 'DEFAULT';
  %keepers = %pids = %early = ();
  open(STDIN, '<', '/dev/null');
  syscall(SETSID);
  my $ticks = start_ticks() or leave(1);
  say_line('k', $number, $$, $ticks);
  my $text = '';
  while (defined(my $order = next_order($in, \$text))) {
    my @fields = split(/\0/, $order, -1);
    pop @fields;
    # Not to be in anybody's way.
    keep($ticks, @fields) && chdir '/' or last;
  }
  leave(0);
}
sub hire {
  my ($number) = @_;
  pipe(my $in, my $out) or return 0;
  my $pid = fork;
  return 0 if !defined $pid;
  if ($pid == 0) { close $out; keeper($number, $in) }
  $keepers{$number} = $pids{$pid} = { number => $number, pipe => $out, id => 0 };
  ended($pid) if delete $early{$pid};
  return 1;
}
sub deliver {
  my ($number, $id, $order) = @_;
  if ($number > $last) {
    $last = $number;
    hire($number) or return say_line('x', $id, "fork $!");
  }
  my $one = $keepers{$number} or return say_line('l', $number, $id);
  $one->{id} = $id;
  # It never had the whole of it if it is gone by now.
  put_all($one->{pipe}, pack('N', length $order) . $order) or say_line('l', $number, $id);
}
say_line('r');
my $text = '';
while (defined(my $order = next_order(\*STDIN, \$text))) {
  leave(0) if getppid() != $holder;
  my $at = index($order, "\0");
  my $number = substr($order, 0, $at);
  $order = substr($order, $at + 1);
  if ($order eq '') { delete $keepers{$number}{pipe} if $keepers{$number} }
  else { deliver($number, substr($order, 0, index($order, "\0")), $order) }
}
leave(0);
`;
