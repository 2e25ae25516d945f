/**
 * The program that forks for a holder, in Perl: its fork copies the page tables of 5 MB, not of 70, it makes a session without a
 * program of its own for that (setsid), and it is the script's parent without being executed anew for each.
 *
 * Orders come on standard input: a length of 4 bytes (big-endian), then fields that end in zero bytes, see `orderOf` in
 * script-forker.ts. Lines go to standard output, each in one write:
 *
 *   r                                  ready
 *   s ID PID STARTTICKS                the keeper of a script has said in its folder who it is, and starts it now
 *   e ID CODE SIGNAL USER SYSTEM PAGES the script is over, and that is on record; times in clock ticks
 *   x ID WHY                           nothing was started
 *   l ID                               the keeper was killed, or died of its script's limits: it says no more
 *
 * Each script has a keeper: a fork in a session of its own, which writes `pid` before the script starts and `exit` when it is over (and
 * `wrapper.err` before, if a signal ended it), whoever else has died by then (node/holder/batch-spool.ts). Orders of a
 * holder that is gone are not followed.
 */
export const SCRIPT_PROGRAM = String.raw`
use strict;
use POSIX ();
use Fcntl qw(O_RDONLY O_WRONLY O_APPEND O_CREAT O_TRUNC O_NOCTTY O_NONBLOCK);
open(my $say, '>&', \*STDOUT) or exit 1;
my $holder = getppid();
my (%ids, %early);
sub say_line { 1 until defined syswrite($say, join(' ', @_) . "\n") || !$!{EINTR} }
# Keepers that ended; one that ended before its number was noted waits in %early.
$SIG{CHLD} = sub {
  local ($!, $?);
  while ((my $pid = waitpid(-1, POSIX::WNOHANG())) > 0) {
    my $id = delete $ids{$pid};
    if (!defined $id) { $early{$pid} = $? } elsif ($?) { say_line('l', $id) }
  }
};
sub refuse { say_line('x', @_); POSIX::_exit(0) }
sub put {
  my ($path, $text) = @_;
  sysopen(my $file, $path, O_WRONLY | O_CREAT | O_TRUNC, 0600) or return 0;
  return (syswrite($file, $text) // -1) == length $text && close $file;
}
sub own_stat {
  open(my $file, '<', '/proc/self/stat') or return ();
  my $line = <$file>;
  # From field 3 on: the name before may hold anything.
  return split(/ /, substr($line, rindex($line, ')') + 2));
}
# A stream: a file that must still be the one that the holder opened, or another stream by its number.
sub stream {
  my ($at, $mode, $path, $dev, $ino) = @_;
  if ($path eq '') { return POSIX::dup2($dev, $at) }
  sysopen(my $file, $path, $mode | O_NOCTTY | O_NONBLOCK) or return 0;
  my @facts = stat $file;
  return 0 if $facts[0] != $dev || $facts[1] != $ino;
  return POSIX::dup2(fileno $file, $at);
}
sub become {
  my ($umask, $argc, @rest) = @_;
  POSIX::setsid();
  umask oct $umask if $umask ne '';
  my @argv = splice(@rest, 0, $argc);
  %ENV = ();
  for (@rest) { my $at = index($_, '='); $ENV{substr($_, 0, $at)} = substr($_, $at + 1) }
  $ENV{SLURM_TASK_PID} = $$;
  no warnings;
  exec { $argv[0] } @argv;
  my $code = $!{ENOENT} ? 127 : 126;
  syswrite(STDERR, "slurmstepd: error: execve(): $argv[0]: $!\n");
  POSIX::_exit($code);
}
sub keep {
  my ($id, $folder, $work, @rest) = @_;
  $SIG{CHLD} = 'DEFAULT';
  POSIX::setsid();
  chdir $work or refuse($id, "chdir $!");
  stream($_, $_ ? O_WRONLY | O_APPEND : O_RDONLY, splice(@rest, 0, 3)) or refuse($id, "stream $_ $!") for 0 .. 2;
  my $ticks = (own_stat())[19] or refuse($id, 'stat');
  put("$folder/pid", "{\"pid\":$$,\"startTicks\":$ticks}\n") or refuse($id, "pid $!");
  my $child = fork;
  if (!defined $child) { unlink "$folder/pid"; refuse($id, "fork $!") }
  become(@rest) if $child == 0;
  $SIG{PIPE} = 'IGNORE';
  say_line('s', $id, $$, $ticks);
  1 until waitpid($child, 0) == $child;
  my ($signal, $code) = ($? & 127, $? >> 8);
  put("$folder/wrapper.err", "signal $signal\n") if $signal;
  put("$folder/exit", ($signal ? 128 + $signal : $code) . "\n");
  my @stat = own_stat();
  say_line('e', $id, $code, $signal, $stat[13], $stat[14], $stat[10]);
  POSIX::_exit(0);
}
say_line('r');
my $text = '';
while (1) {
  my $got = sysread(STDIN, $text, 65536, length $text);
  next if !defined $got && $!{EINTR};
  exit 0 if !$got;
  while (length $text >= 4) {
    my $bytes = unpack('N', $text);
    last if length $text < 4 + $bytes;
    my @order = split(/\0/, substr($text, 4, $bytes), -1);
    pop @order;
    substr($text, 0, 4 + $bytes, '');
    exit 0 if getppid() != $holder;
    my $keeper = fork;
    if (!defined $keeper) { say_line('x', $order[0], "fork $!") }
    elsif ($keeper == 0) { keep(@order) }
    else {
      $ids{$keeper} = $order[0];
      my $status = delete $early{$keeper};
      if (defined $status) { delete $ids{$keeper}; say_line('l', $order[0]) if $status }
    }
  }
}
`;
