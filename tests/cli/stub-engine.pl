#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# stub-engine.pl SOCKET FILE: answers every request on the socket with what is in the file.
use strict;
use warnings;
use IO::Socket::UNIX;

my ($path, $file) = @ARGV;
my $listener = IO::Socket::UNIX->new(Local => $path, Listen => 8) or die "$path: $!\n";

local $SIG{TERM} = sub { unlink $path; exit 0 };
local $SIG{PIPE} = 'IGNORE';
while (1) {
	my $client = $listener->accept or next;
	my $line = <$client>;

	next unless defined $line; # a probe
	while (defined($line = <$client>)) {
		last if $line eq "\n";
	}
	if (open(my $reply, '<', $file)) { # none yet: says nothing
		print $client (<$reply>);
		close $reply;
	}
	close $client;
}
