"""`watch`: the live pipeline over a video file."""

import argparse

from core.cli.output import print_json

HELP = "read a video frame by frame, as the live camera would"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("video", metavar="VIDEO", help="a video file")
    parser.add_argument("--network", default="digits", metavar="NAME", help="a trained network (default: digits)")


def run(args: argparse.Namespace) -> int:
    from core.reading.video import watch

    said = None
    for record in watch(args.video, args.network):
        if args.json:
            print_json(record)
        elif record["text"] != said:
            said = record["text"]
            print(f"{record['time_s']:8.2f} s  {said.replace(chr(10), ' / ') or '–'}", flush=True)
    return 0
